// SPDX-License-Identifier: Apache-2.0
import Pebble

/// Two nodes of a Slurm cluster, with four workers each.
let onCluster = ProcessPool.Configuration(maxWorkers: 4, execution: .slurm(nodes: 2, options: ["--partition=short"]))

/// Machines that are reached with ssh, with as many workers as each has processors.
let onMachines = ProcessPool.Configuration(execution: .nodes(["ada", "grace"], command: ["ssh", "-T", "%n"]))

/// Two "machines" that are both this one, for tests: `env` executes the words behind it here.
let onThisMachine = ProcessPool.Configuration(maxWorkers: 2, execution: .nodes(["left", "right"], command: ["env"]))

func clusters() async throws {
  try await printWords(of: ["one", "one two", "one two three"], onThisMachine)
  try await handleMessages()
}

func printWords(of texts: [String], _ configuration: ProcessPool.Configuration) async throws {
  try await withProcessPool(configuration) { pool in
    for text in texts {
      let job = try pool.schedule(#process(countWords), text, timeout: .seconds(10), retries: 1)
      do {
        print("words:", try await job.value)
      } catch let lost as NodeLost {
        print(lost.node, "went away with it")  // twice: the first time it was run again elsewhere
      } catch let error as PebbleError where error.code == .nodeStart {
        print("there is no node:", error)
      }
    }
  }
}

/// What a job queue is told about a message that it gave to a handler.
enum Verdict {
  case done(Int)
  case again
  case givenUp(String)
}

/// The handler of a job queue, which counts the attempts.
func handleMessage(_ message: [UInt8], attempt: Int, _ pool: ProcessPool) async -> Verdict {
  do {
    // Shorter than the time after which the queue gives the message to another server.
    let job = try pool.schedule(#process(decodeUpload), message, timeout: .seconds(20), deadline: .seconds(50))
    return .done(try await job.value)
  } catch let error as ProcessExpired {
    return attempt < 3 ? .again : .givenUp("\(error.signal ?? "it exited")")
  } catch let error as TimeoutError {
    return error.limit == .timeout ? .givenUp("it takes too long") : .again
  } catch is PebbleError, is CancellationError {
    return .again  // this server is full, or ends: not the message's doing
  } catch {
    return .givenUp("\(error)")
  }
}

func handleMessages() async throws {
  try await withProcessPool(.init(standardError: .discard)) { pool in
    for (message, attempt) in [([1, 2], 1), ([], 1), ([], 3)] as [([UInt8], Int)] {
      print("attempt \(attempt):", await handleMessage(message, attempt: attempt, pool))
    }
  }
}
