// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble

let reloads = try! Queue<Int32>()

/// Called on an ordinary thread, where it may lock, allocate, and print.
@SignalHandler(SIGHUP, SIGUSR1)
func reload(_ signal: Int32) {
  print("reloading because of signal", signal)
  _ = try? reloads.offer(signal)
}

@main
struct Signals {
  static func main() async throws {
    for signal in [SIGHUP, SIGUSR1] {
      kill(getpid(), signal)
      _ = try await reloads.get()
    }
    print("still running")
  }
}
