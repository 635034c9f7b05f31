// SPDX-License-Identifier: Apache-2.0
import Pebble

// Code of somebody else, which may do anything.

func decode(_ text: String) -> Int {
  if text == "forever" { while true {} }
  return Int(text)!
}

/// What becomes of one call: its value, or why there is none.
func attempt(_ text: String, in pool: ProcessPool) async -> String {
  do {
    let job = try pool.schedule(#process(decode), text, timeout: .milliseconds(500))
    return "\(try await job.value)"
  } catch let error as ProcessExpired {
    return "its worker crashed (\(error.signal ?? "no signal"))"
  } catch let error as TimeoutError {
    return "it took longer than \(error.length)"
  } catch {
    return "\(error)"
  }
}

@main
struct Unstable {
  static func main() async throws {
    // What the Swift runtime writes when it traps would only stand in between.
    try await withProcessPool(.init(maxWorkers: 1, standardError: .discard)) { pool in
      for text in ["12", "twelve", "forever", "13"] {
        print("\(text):", await attempt(text, in: pool))
      }
    }
  }
}
