// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble

func countWords(_ text: String) -> Int {
  text.split(separator: " ").count
}

nonisolated(unsafe) var stopWords: Set<String> = []

func loadStopWords(_ words: [String]) {
  stopWords = Set(words)
}

func countRareWords(_ text: String) -> Int {
  text.split(separator: " ").count { !stopWords.contains(String($0)) }
}

func canBeRead(_ path: String) -> Bool {
  let file = open(path, O_RDONLY)
  if file >= 0 { close(file) }
  return file >= 0
}

func pools() async throws {
  // A scope closes the pool and waits for its processes.
  let words = try await withProcessPool(maxWorkers: 2) { pool in
    try await pool.schedule(#process(countWords), "one two three").value
  }
  print("words:", words)

  // Without one, that is done by hand.
  let pool = try ProcessPool(.init(maxWorkers: 4, maxTasks: 100, name: "words"))
  let job = try pool.schedule(#process(countWords), "four more words here", timeout: .seconds(5))
  print("words:", try await job.value)
  pool.close()
  try await pool.joined()
  print("done:", pool.statistics.outcomes.succeeded, "workers left:", pool.statistics.workers)

  try await initializedPool()
  try await confinedPool()
}

func initializedPool() async throws {
  let configuration = ProcessPool.Configuration(
    maxWorkers: 2,
    initializer: try WorkerCall(#process(loadStopWords), ["a", "the"]),
    idleTimeout: .seconds(30),
    limits: WorkerLimits(addressSpace: 4 << 30, noNewPrivileges: true),
    maxQueued: 1000)
  try await withProcessPool(configuration) { pool in
    print("rare words:", try await pool.schedule(#process(countRareWords), "the cat and a dog").value)
  }
}

func confinedPool() async throws {
  let configuration = ProcessPool.Configuration(
    maxWorkers: 2, limits: WorkerLimits(addressSpace: 4 << 30),
    confinement: WorkerConfinement(readablePaths: ["/usr/share"]))
  try await withProcessPool(configuration) { pool in
    for path in ["/usr/share", "/etc/passwd"] {
      print(path, "can be read:", try await pool.schedule(#process(canBeRead), path).value)
    }
  }
}
