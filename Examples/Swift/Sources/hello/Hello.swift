// SPDX-License-Identifier: Apache-2.0
import Pebble

func parse(_ text: String) throws -> [Int] {
  text.split(separator: ",").map { Int($0)! }  // traps on a bad number
}

@main struct Hello {
  static func main() async throws {
    try await withProcessPool(maxWorkers: 2) { pool in
      for text in ["1,2,3", "1,two,3"] {
        let job = try pool.schedule(#process(parse), text, timeout: .seconds(1))
        do { print(try await job.value) } catch { print(error) }
      }
    }
  }
}
