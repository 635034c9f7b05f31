// SPDX-License-Identifier: Apache-2.0

/// Makes a pool of threads for the duration of `body`.
///
/// When `body` returns the pool is closed and joined: all jobs run to their end. When it throws the pool is stopped
/// and joined. No thread is left either way.
@discardableResult
public func withThreadPool<Value>(
  _ configuration: ThreadPool.Configuration = .init(), isolation: isolated (any Actor)? = #isolation,
  _ body: (ThreadPool) async throws -> sending Value
) async throws -> sending Value {
  try await use(try ThreadPool(configuration), isolation: isolation, body)
}

/// Makes a pool of threads for the duration of `body`; see the other form, which takes a configuration.
@discardableResult
public func withThreadPool<Value>(
  maxWorkers: Int, maxTasks: Int? = nil, isolation: isolated (any Actor)? = #isolation,
  _ body: (ThreadPool) async throws -> sending Value
) async throws -> sending Value {
  try await withThreadPool(.init(maxWorkers: maxWorkers, maxTasks: maxTasks), body)
}

/// Makes a pool of threads for the duration of `body`, blocking the thread where the asynchronous form waits.
@available(*, noasync)
@discardableResult
public func withThreadPool<Value>(
  _ configuration: ThreadPool.Configuration = .init(), _ body: (ThreadPool) throws -> Value
) throws -> Value {
  try use(try ThreadPool(configuration), body)
}
