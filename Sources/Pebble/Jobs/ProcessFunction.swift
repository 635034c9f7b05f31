// SPDX-License-Identifier: Apache-2.0

/// The C function through which a worker calls a Swift function: a closure literal without captures.
///
/// Its address says which function to run, in every process of the program. The argument is for ``ProcessCall``.
public typealias ProcessEntry = @convention(c) @Sendable (OpaquePointer) -> Int32

/// A function that can be run in a worker process.
///
/// `#process(fibonacci)` makes one. By hand it is
/// ```swift
/// let function = ProcessFunction(fibonacci) { ProcessCall($0).run(fibonacci) }
/// ```
/// where the closure must not capture anything: what the function needs are its arguments.
public struct ProcessFunction<Result: Sendable, each Argument: Codable & Sendable>: Sendable {
  /// The name in errors and process titles.
  public let name: String
  let entry: ProcessEntry

  public init(name: String, entry: ProcessEntry) {
    self.name = name
    self.entry = entry
  }

  /// - Parameters:
  ///   - function: only its type is used, and its name unless another is given.
  ///   - name: the name in errors and process titles.
  ///   - entry: runs the function: `{ ProcessCall($0).run(f) }`.
  public init(
    _ function: (repeat each Argument) async throws -> Result, name: String = "function", entry: ProcessEntry
  ) {
    self.init(name: name, entry: entry)
  }
}
