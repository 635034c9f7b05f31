// SPDX-License-Identifier: Apache-2.0

/// Gives a pool to `body`; then closes it, or stops it when `body` has thrown, and joins it.
func use<Pool: WorkerPool, Value>(
  _ pool: Pool, isolation: isolated (any Actor)?, _ body: (Pool) async throws -> sending Value
) async throws -> sending Value {
  let value: Value
  do {
    value = try await body(pool)
  } catch {
    pool.stop()
    try await pool.joined()
    throw error
  }
  pool.close()
  try await pool.joined()
  return value
}

/// The same, blocking the thread.
@available(*, noasync)
func use<Pool: WorkerPool, Value>(_ pool: Pool, _ body: (Pool) throws -> Value) throws -> Value {
  let value: Value
  do {
    value = try body(pool)
  } catch {
    pool.stop()
    try pool.join()
    throw error
  }
  pool.close()
  try pool.join()
  return value
}
