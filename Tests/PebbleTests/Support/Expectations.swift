// SPDX-License-Identifier: Apache-2.0
import Pebble
import Testing

/// That the future's result is `expected`. (`#expect` cannot await a property in the middle of an expression.)
func expect<Value: Equatable>(
  _ future: ProcessFuture<Value>, _ expected: Value, sourceLocation: SourceLocation = #_sourceLocation
) async throws {
  let value = try await future.value
  #expect(value == expected, sourceLocation: sourceLocation)
}
