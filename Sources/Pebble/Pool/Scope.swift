// SPDX-License-Identifier: Apache-2.0

/// Makes a pool for the duration of `body`.
///
/// When `body` returns the pool is closed and joined: all jobs run to their end. When it throws the pool is stopped
/// and joined. No process is left either way.
@discardableResult
public func withProcessPool<Value>(
  _ configuration: ProcessPool.Configuration = .init(), isolation: isolated (any Actor)? = #isolation,
  _ body: (ProcessPool) async throws -> sending Value
) async throws -> sending Value {
  try await use(try ProcessPool(configuration), isolation: isolation, body)
}

/// Makes a pool for the duration of `body`; see the other form, which takes a configuration.
@discardableResult
public func withProcessPool<Value>(
  maxWorkers: Int, maxTasks: Int? = nil, isolation: isolated (any Actor)? = #isolation,
  _ body: (ProcessPool) async throws -> sending Value
) async throws -> sending Value {
  try await withProcessPool(.init(maxWorkers: maxWorkers, maxTasks: maxTasks), body)
}

/// Makes a pool for the duration of `body`, blocking the thread where the asynchronous form waits.
@available(*, noasync)
@discardableResult
public func withProcessPool<Value>(
  _ configuration: ProcessPool.Configuration = .init(), _ body: (ProcessPool) throws -> Value
) throws -> Value {
  try use(try ProcessPool(configuration), body)
}
