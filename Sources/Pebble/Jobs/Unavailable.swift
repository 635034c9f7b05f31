// SPDX-License-Identifier: Apache-2.0

// Chosen only where the result is not what it must be, so that the compiler says so.

extension ProcessCall {
  @available(*, unavailable, message: "the result of a function that runs in a worker must be 'Codable' and 'Sendable'")
  public func run<Result, each Argument: Codable & Sendable>(
    _ function: (repeat each Argument) throws -> Result
  ) -> Int32 { fatalError() }

  @available(*, unavailable, message: "the result of a function that runs in a worker must be 'Codable' and 'Sendable'")
  public func run<Result, each Argument: Codable & Sendable>(
    _ function: sending @escaping (repeat each Argument) async throws -> Result
  ) -> Int32 { fatalError() }
}

extension _Decorated {
  @available(*, unavailable, message: "the result of a function that runs in a worker must be 'Codable' and 'Sendable'")
  public static func call<Value, each Argument: Codable & Sendable>(
    _ entry: ProcessEntry, _ function: String, _ options: _DecoratorOptions, _ arguments: repeat each Argument
  ) async throws -> Value { fatalError() }

  @available(*, unavailable, message: "the result of a function that runs in a worker must be 'Codable' and 'Sendable'")
  public static func start<Value, each Argument: Codable & Sendable>(
    _ entry: ProcessEntry, _ function: String, _ options: _DecoratorOptions, _ arguments: repeat each Argument
  ) -> ProcessFuture<Value> { fatalError() }
}
