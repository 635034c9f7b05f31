// SPDX-License-Identifier: Apache-2.0

extension ProcessPool {
  /// Calls a function with every element of a sequence.
  ///
  /// - Parameters:
  ///   - chunkSize: how many elements one job computes; more of them cost less each.
  ///   - timeout: how long a chunk may run.
  /// - Throws: ``PebbleError``: `chunkSize` is below 1, or the limit is not positive.
  public func map<Inputs: Sequence & Sendable, Value: Codable & Sendable>(
    _ function: ProcessFunction<Value, Inputs.Element>, _ inputs: Inputs, chunkSize: Int = 1,
    timeout: Duration? = nil
  ) throws -> ProcessMap<Value> where Inputs.Element: Codable & Sendable {
    try map(function.entry, function.name, chunkSize, timeout) {
      var inputs = inputs.makeIterator()
      return {
        guard let input = inputs.next() else { return nil }
        return { try $0.append(arguments: input) }
      }
    }
  }

  /// Calls a function with the elements of two sequences, pair by pair, until the shorter one ends.
  public func map<First: Sequence & Sendable, Second: Sequence & Sendable, Value: Codable & Sendable>(
    _ function: ProcessFunction<Value, First.Element, Second.Element>, _ first: First, _ second: Second,
    chunkSize: Int = 1, timeout: Duration? = nil
  ) throws -> ProcessMap<Value>
  where First.Element: Codable & Sendable, Second.Element: Codable & Sendable {
    try map(function.entry, function.name, chunkSize, timeout) {
      var pairs = zip(first, second).makeIterator()
      return {
        guard let (first, second) = pairs.next() else { return nil }
        return { try $0.append(arguments: first, second) }
      }
    }
  }

  private func map<Value: Codable & Sendable>(
    _ entry: ProcessEntry, _ name: String, _ chunkSize: Int, _ timeout: Duration?,
    _ makeInputs: @escaping @Sendable () -> () -> MapRun<Value>.Input?
  ) throws -> ProcessMap<Value> {
    guard chunkSize >= 1 else { throw PebbleError(.invalidArgument, "chunkSize must be at least 1, not \(chunkSize)") }
    let job = Job(entry: entry, function: name, title: nil, limits: try JobLimits(timeout: timeout))
    return ProcessMap { [self] in
      MapRun(pool: self, job: job, chunkSize: chunkSize, nextInput: makeInputs())
    }
  }
}
