// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble

func render(_ steps: Int) throws -> String {
  for step in 1...steps { try sendUpdate(step) }
  return "rendered"
}

func queues() async throws {
  let numbers = try Queue<Int>(capacity: 10)
  let words = try Queue<String>()
  try await words.put("hello")
  let ready = try await waitForQueues([numbers, words] as [any WaitableQueue], timeout: .seconds(60))
  print("ready:", ready.count, "words:", ready.first === words)
  words.close()
  for try await word in words { print(word) }

  // What a job says while it runs.
  try await withProcessPool(maxWorkers: 1) { pool in
    let progress = try JobUpdates<Int>()
    let job = try pool.schedule(#process(render), 3, updates: progress)
    for try await step in progress { print("step", step) }
    print(try await job.value)
  }

  try await withSignals(SIGUSR1) { signals in
    kill(getpid(), SIGUSR1)
    for await signal in signals {
      print("got SIGUSR1:", signal == SIGUSR1)
      break
    }
  }
}
