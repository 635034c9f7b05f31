// SPDX-License-Identifier: Apache-2.0
import Pebble

func decodeUpload(_ bytes: [UInt8]) throws -> Int {
  Int(bytes[0]) + Int(bytes[1])  // as careless as some decoders are
}

/// What a request handler answers: the good requests are not concerned by the bad ones.
func handle(_ upload: [UInt8], _ pool: ProcessPool) async -> (status: Int, text: String) {
  do {
    let job = try pool.schedule(
      #process(decodeUpload), upload, timeout: .seconds(2), deadline: .seconds(5))
    return (200, "\(try await job.value)")
  } catch is TimeoutError {
    return (503, "takes too long")
  } catch is ProcessExpired {
    return (422, "cannot be decoded")
  } catch let error as PebbleError where error.code == .full {
    return (429, "try again later")
  } catch {
    return (400, "\(error)")
  }
}

func server() async throws {
  let configuration = ProcessPool.Configuration(
    standardError: .discard, limits: WorkerLimits(addressSpace: 4 << 30), maxQueued: 100)
  try await withProcessPool(configuration) { pool in
    await withTaskGroup { group in
      for _ in 0..<20 { group.addTask { await handle([1, 2], pool).status } }
      for _ in 0..<5 { group.addTask { await handle([], pool).status } }
      let statuses = await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
      print("good:", statuses[200] ?? 0, "bad:", statuses[422] ?? 0)
    }
  }
}
