// SPDX-License-Identifier: Apache-2.0
import Pebble

struct Thumbnail: ProcessJob {
  let width: Int
  let height: Int
  let side: Int

  func run() throws -> [Int] {
    [side, side * height / width]
  }
}

/// Without the macros: a closure without captures that says which function to run.
let countWordsByHand = ProcessFunction(countWords) { ProcessCall($0).run(countWords) }

func jobs() async throws {
  try await withProcessPool(maxWorkers: 1) { pool in
    print(try await pool.schedule(Thumbnail(width: 640, height: 480, side: 64)).value)
    print(try await pool.schedule(countWordsByHand, "by hand").value)
  }

  // In this process, for a debugger or a test without processes.
  try await withProcessPool(.init(execution: .inline)) { pool in
    print("inline:", try await pool.schedule(#process(countWords), "a b").value)
  }
}
