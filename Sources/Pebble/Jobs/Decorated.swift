// SPDX-License-Identifier: Apache-2.0

/// What a decorator's arguments say. For the macros.
public struct _DecoratorOptions: Sendable {
  let timeout: Duration?
  let name: String?
  let pool: ProcessPool?

  public init(timeout: Duration? = nil, name: String? = nil, pool: ProcessPool? = nil) {
    self.timeout = timeout
    self.name = name
    self.pool = pool
  }
}

/// What decorated functions expand to. For the macros.
public enum _Decorated {
  /// Whether a decorated function runs where it is called: inside a worker, so that recursion stays local and
  /// processes cannot multiply.
  public static var runsInPlace: Bool { CallHandle.isInWorker || InlineJob.isCurrent }

  /// A process for each call, where the decorator names no pool.
  private static let onePerCall = Result {
    try ProcessPool(.init(maxWorkers: 256, maxTasks: 1, name: "call"))
  }

  private static func schedule<Value: Codable & Sendable, each Argument: Codable & Sendable>(
    _ entry: ProcessEntry, _ function: String, _ options: _DecoratorOptions, _ arguments: repeat each Argument
  ) throws -> ProcessFuture<Value> {
    let target = ProcessFunction<Value, repeat each Argument>(name: function, entry: entry)
    return try (options.pool ?? onePerCall.get()).schedule(
      target, repeat each arguments, timeout: options.timeout, name: options.name)
  }

  private static func scheduleVoid<each Argument: Codable & Sendable>(
    _ entry: ProcessEntry, _ function: String, _ options: _DecoratorOptions, _ arguments: repeat each Argument
  ) throws -> ProcessFuture<Void> {
    let target = ProcessFunction<Void, repeat each Argument>(name: function, entry: entry)
    return try (options.pool ?? onePerCall.get()).schedule(
      target, repeat each arguments, timeout: options.timeout, name: options.name)
  }

  public static func call<Value: Codable & Sendable, each Argument: Codable & Sendable>(
    _ entry: ProcessEntry, _ function: String, _ options: _DecoratorOptions, _ arguments: repeat each Argument
  ) async throws -> Value {
    let future: ProcessFuture<Value> = try schedule(entry, function, options, repeat each arguments)
    return try await future.value
  }

  public static func call<each Argument: Codable & Sendable>(
    _ entry: ProcessEntry, _ function: String, _ options: _DecoratorOptions, _ arguments: repeat each Argument
  ) async throws {
    try await scheduleVoid(entry, function, options, repeat each arguments).value
  }

  public static func start<Value: Codable & Sendable, each Argument: Codable & Sendable>(
    _ entry: ProcessEntry, _ function: String, _ options: _DecoratorOptions, _ arguments: repeat each Argument
  ) -> ProcessFuture<Value> {
    do {
      return try schedule(entry, function, options, repeat each arguments)
    } catch {
      return ProcessFuture(.failure(error))
    }
  }

  public static func start<each Argument: Codable & Sendable>(
    _ entry: ProcessEntry, _ function: String, _ options: _DecoratorOptions, _ arguments: repeat each Argument
  ) -> ProcessFuture<Void> {
    do {
      return try scheduleVoid(entry, function, options, repeat each arguments)
    } catch {
      return ProcessFuture(.failure(error))
    }
  }

  public static func inPlace<Value: Sendable>(_ body: () throws -> Value) -> ProcessFuture<Value> {
    ProcessFuture(Result(catching: body))
  }

  public static func inPlaceAsync<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value
  ) -> ProcessFuture<Value> {
    ProcessFuture(TaskSource(body))
  }
}
