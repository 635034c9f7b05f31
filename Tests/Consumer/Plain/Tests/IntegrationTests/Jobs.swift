// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble

struct Wrong: Error, Codable, Equatable {}

enum Work {
  static func square(_ n: Int) -> Int { n * n }
  static func fail(_ n: Int) throws -> Int { throw Wrong() }
  static func say(_ text: String) { puts(text) }

  static func crash(_ n: Int) -> Int {
    kill(getpid(), SIGKILL)
    return n
  }

  static func hang(_ n: Int) -> Int {
    while true { pause() }
  }
}

/// By hand: there is no macro without the trait.
enum Calls {
  static let square = ProcessFunction(Work.square, name: "square") { ProcessCall($0).run(Work.square) }
  static let fail = ProcessFunction(Work.fail, name: "fail") { ProcessCall($0).run(Work.fail) }
  static let say = ProcessFunction(Work.say, name: "say") { ProcessCall($0).run(Work.say) }
  static let crash = ProcessFunction(Work.crash, name: "crash") { ProcessCall($0).run(Work.crash) }
  static let hang = ProcessFunction(Work.hang, name: "hang") { ProcessCall($0).run(Work.hang) }
}

extension ProcessPool {
  /// One job of every end: success, error, death, limit, cancel.
  func runOneOfEach() async throws {
    _ = try await schedule(Calls.square, 3).value
    _ = try? await schedule(Calls.fail, 1).value
    _ = try? await schedule(Calls.crash, 1).value
    _ = try? await schedule(Calls.hang, 1, timeout: .milliseconds(20)).value
    let cancelled = try schedule(Calls.hang, 1)
    cancelled.cancel()
    _ = try? await cancelled.value
  }
}
