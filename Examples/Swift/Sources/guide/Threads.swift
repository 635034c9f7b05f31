// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble

func threads() async throws {
  try await withThreadPool(maxWorkers: 2) { pool in
    let name = "World"  // nothing is copied: closures capture what they like
    let greeting = try pool.schedule { "Hello, \(name)" }
    print(try await greeting.value)

    // A thread cannot be killed: it is told, and goes on until it returns.
    let patient = try pool.schedule(timeout: .milliseconds(100)) {
      while !isJobCancelled { sched_yield() }
    }
    do { try await patient.value } catch is TimeoutError { print("its caller goes on at once") }
    await patient.gone()
  }

  let worker = try startThread(name: "worker") { sched_yield() }
  let ended = try await waitForThreads([worker], timeout: .seconds(60))
  print("ended:", ended.count)
}
