// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble

func spin() {
  while true {}
}

func isPrime(_ n: Int) -> Bool {
  n > 1 && !(2..<n).prefix { $0 * $0 <= n }.contains { n % $0 == 0 }
}

/// Works in small steps, and ends early when nobody waits for it any more.
func patient() async -> Int {
  var steps = 0
  while !Task.isCancelled {
    steps += 1
    await Task.yield()
  }
  return steps
}

func timeouts() async throws {
  try await withProcessPool(.init(maxWorkers: 2, grace: .seconds(1))) { pool in
    let job = try pool.schedule(#process(spin), timeout: .milliseconds(200))
    do {
      try await job.value
    } catch let error as TimeoutError {
      print("it ran for more than \(error.length)")
    }

    let endless = try pool.schedule(#process(spin))
    let task = Task { try await endless.value }
    task.cancel()  // ends the job, and the worker where it has begun
    do { try await task.value } catch is CancellationError { print("cancelled") }
    await endless.gone()  // its process can do no more for it

    let polite = try pool.schedule(#process(patient), deadline: .milliseconds(300))
    do { _ = try await polite.value } catch let error as TimeoutError { print("limit:", error.limit) }

    // The first of several; the others are not needed any more.
    let races = try [7919, 1].map { try pool.schedule(#process(isPrime), $0) }
    let first = try await wait(for: races, .first, timeout: .seconds(60))
    print("one is done:", !first.isEmpty)
    for race in races { race.cancel() }
  }
}
