// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble

/// Each call of a decorated function runs in a process of its own; its caller waits as for any other `async` function.
@ConcurrentProcess(timeout: .seconds(30))
func sum(_ numbers: [Int], startingAt start: Int = 0) async throws -> Int {
  numbers.reduce(start, +)
}

/// The other form hands out a future at once.
@ConcurrentProcess(name: "who am I")
func process() -> ProcessFuture<Int32> {
  getpid()
}

@main
struct Decorated {
  static func main() async throws {
    print("sum:", try await sum([1, 2, 3]))
    print("sum with a start:", try await sum([1, 2, 3], startingAt: 10))

    let first = process()
    let second = process()
    let pids = [try await first.value, try await second.value]
    print("two calls, two processes:", Set(pids).count == 2 && !pids.contains(getpid()))
  }
}
