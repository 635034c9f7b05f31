// SPDX-License-Identifier: Apache-2.0

/// A call with its arguments that each worker of a pool makes when it starts, or leaves.
///
/// ```swift
/// let configuration = ProcessPool.Configuration(initializer: try WorkerCall(#process(loadTable), "table.bin"))
/// ```
public struct WorkerCall: Sendable {
  let entry: ProcessEntry
  let input: [UInt8]

  init(entry: ProcessEntry, input: [UInt8]) {
    self.entry = entry
    self.input = input
  }

  /// - Throws: what encoding the arguments threw.
  public init<each Argument: Codable & Sendable>(
    _ function: ProcessFunction<Void, repeat each Argument>, _ arguments: repeat each Argument
  ) throws {
    entry = function.entry
    input = try Payload(call: repeat each arguments).withBytes { Array($0) }
  }
}
