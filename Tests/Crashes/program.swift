// SPDX-License-Identifier: Apache-2.0
// Runs each way to crash in workers of both kinds, and prints what its error says: its name, the first line of the
// description, the function in which it was, and the line where debug information tells.
import Pebble

let memory = 1 << 30

@Sendable func crash(_ number: Int) -> Int {
  Way.all[number].run(0)
}

@Sendable func crashOnThread(_ number: Int) async -> Int {
  Way.all[number].run(0)
}

let crashing = ProcessFunction(crash) { ProcessCall($0).run(crash) }
let crashingOnThread = ProcessFunction(crashOnThread) { ProcessCall($0).run(crashOnThread) }

@main struct Program {
  static func main() async throws {
    for method in StartMethod.allCases {
      let configuration = ProcessPool.Configuration(
        maxWorkers: 1, startMethod: method, standardError: .discard, limits: .init(addressSpace: memory))
      try await withProcessPool(configuration) { pool in
        for (number, way) in Way.all.enumerated() {
          let future = try pool.schedule(way.onThread ? crashingOnThread : crashing, number)
          do {
            print(way.row, "survived", try await future.value, separator: "\t")
          } catch let error as ProcessExpired {
            print(way.row, error.description.prefix { $0 != "\n" }, way.place(in: error), separator: "\t")
          }
        }
      }
    }
  }
}

extension Way {
  /// "-": there is no backtrace.
  func place(in error: ProcessExpired) -> String {
    guard let backtrace = error.backtrace else { return "-" }
    guard let function, let frame = backtrace.frames.first(where: { $0.function?.contains(function) == true }) else {
      return "not found in \(error)"
    }
    guard let file = frame.file, let line = frame.line else { return function }
    return "\(function) at \(file.split(separator: "/").last ?? "?"):\(line)"
  }
}
