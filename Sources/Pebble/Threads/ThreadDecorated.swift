// SPDX-License-Identifier: Apache-2.0

/// What the arguments of `@ConcurrentThread` say. For the macro.
public struct _ThreadOptions: Sendable {
  let timeout: Duration?
  let name: String?
  let pool: ThreadPool?

  public init(timeout: Duration? = nil, name: String? = nil, pool: ThreadPool? = nil) {
    self.timeout = timeout
    self.name = name
    self.pool = pool
  }
}

extension _Decorated {
  /// Threads for calls whose decorator names no pool: as many as there are calls at once.
  private static let threads = Result {
    try ThreadPool(.init(maxWorkers: 65_536, name: "call", idleTimeout: .seconds(10)))
  }

  public static func callInThread<Value: Sendable>(
    _ options: _ThreadOptions, _ function: String, _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await schedule(options, function, body).value
  }

  public static func startInThread<Value: Sendable>(
    _ options: _ThreadOptions, _ function: String, _ body: @escaping @Sendable () throws -> Value
  ) -> Future<Value> {
    do {
      return try schedule(options, function, body)
    } catch {
      return ProcessFuture(.failure(error))
    }
  }

  private static func schedule<Value: Sendable>(
    _ options: _ThreadOptions, _ function: String, _ body: @escaping @Sendable () throws -> Value
  ) throws -> Future<Value> {
    try (options.pool ?? threads.get()).schedule(
      timeout: options.timeout, name: options.name ?? function, body)
  }
}
