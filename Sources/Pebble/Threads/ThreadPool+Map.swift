// SPDX-License-Identifier: Apache-2.0

/// The results of a closure over many inputs: those of a ``ProcessMap``, computed in threads.
public typealias ThreadMap<Value: Sendable> = ProcessMap<Value>

extension ThreadPool {
  /// Calls a closure with every element of a sequence.
  ///
  /// - Parameters:
  ///   - inputs: one of its elements is the argument of each call.
  ///   - chunkSize: how many elements one job computes; more of them cost less each.
  ///   - ordered: whether the results are in the order of the inputs, or come as they complete.
  ///   - timeout: how long a chunk may run; when it does for longer, all of its elements get the error.
  ///   - elementTimeout: how long an element may run. A chunk may run for as long as its elements together; when it
  ///     does for longer they are run again one by one, each with its own limit. The element that runs then cannot be
  ///     killed, but those behind it are not begun.
  ///   - name: the name in errors.
  ///   - body: what is called.
  /// - Throws: ``PebbleError``: `chunkSize` is below 1, or a limit is not positive.
  public func map<Inputs: Sequence & Sendable, Value: Sendable>(
    _ inputs: Inputs, chunkSize: ChunkSize = 1, ordered: Bool = true, timeout: Duration? = nil,
    elementTimeout: Duration? = nil, name: String = "closure",
    _ body: @escaping @Sendable (Inputs.Element) throws -> Value
  ) throws -> ThreadMap<Value> where Inputs.Element: Sendable {
    let plan = try plan(chunkSize, ordered, timeout, elementTimeout, name, body)
    return ProcessMap(PoolMapRuns(plan, inputs) { $0 })
  }

  /// Calls a closure with the elements of two sequences, pair by pair, until the shorter one ends.
  public func map<First: Sequence & Sendable, Second: Sequence & Sendable, Value: Sendable>(
    _ first: First, _ second: Second, chunkSize: ChunkSize = 1, ordered: Bool = true, timeout: Duration? = nil,
    elementTimeout: Duration? = nil, name: String = "closure",
    _ body: @escaping @Sendable (First.Element, Second.Element) throws -> Value
  ) throws -> ThreadMap<Value> where First.Element: Sendable, Second.Element: Sendable {
    let plan = try plan(chunkSize, ordered, timeout, elementTimeout, name) {
      (element: (First.Element, Second.Element)) in
      try body(element.0, element.1)
    }
    return ProcessMap(PoolMapRuns(plan, zip(first, second)) { $0 })
  }

  /// Calls a closure with the elements of three sequences, one of each, until the shortest one ends.
  public func map<
    First: Sequence & Sendable, Second: Sequence & Sendable, Third: Sequence & Sendable, Value: Sendable
  >(
    _ first: First, _ second: Second, _ third: Third, chunkSize: ChunkSize = 1, ordered: Bool = true,
    timeout: Duration? = nil, elementTimeout: Duration? = nil, name: String = "closure",
    _ body: @escaping @Sendable (First.Element, Second.Element, Third.Element) throws -> Value
  ) throws -> ThreadMap<Value>
  where First.Element: Sendable, Second.Element: Sendable, Third.Element: Sendable {
    let plan = try plan(chunkSize, ordered, timeout, elementTimeout, name) {
      (element: (First.Element, Second.Element, Third.Element)) in
      try body(element.0, element.1, element.2)
    }
    return ProcessMap(PoolMapRuns(plan, zip(zip(first, second), third)) { ($0.0.0, $0.0.1, $0.1) })
  }

  /// Calls a closure with the elements of four sequences, one of each, until the shortest one ends.
  public func map<
    First: Sequence & Sendable, Second: Sequence & Sendable, Third: Sequence & Sendable, Fourth: Sequence & Sendable,
    Value: Sendable
  >(
    _ first: First, _ second: Second, _ third: Third, _ fourth: Fourth, chunkSize: ChunkSize = 1, ordered: Bool = true,
    timeout: Duration? = nil, elementTimeout: Duration? = nil, name: String = "closure",
    _ body: @escaping @Sendable (First.Element, Second.Element, Third.Element, Fourth.Element) throws -> Value
  ) throws -> ThreadMap<Value>
  where First.Element: Sendable, Second.Element: Sendable, Third.Element: Sendable, Fourth.Element: Sendable {
    let plan = try plan(chunkSize, ordered, timeout, elementTimeout, name) {
      (element: (First.Element, Second.Element, Third.Element, Fourth.Element)) in
      try body(element.0, element.1, element.2, element.3)
    }
    return ProcessMap(
      PoolMapRuns(plan, zip(zip(first, second), zip(third, fourth))) { ($0.0.0, $0.0.1, $0.1.0, $0.1.1) })
  }

  /// Calls a closure with every element of an asynchronous sequence, which is taken in a task of its own.
  ///
  /// A chunk is begun when it has all of its elements, or the sequence has ended. When the sequence throws, its error
  /// comes as one more result, the last. See the form for a plain sequence for the parameters.
  public func map<Inputs: AsyncSequence & Sendable, Value: Sendable>(
    _ inputs: Inputs, chunkSize: ChunkSize = 1, ordered: Bool = true, timeout: Duration? = nil,
    elementTimeout: Duration? = nil, name: String = "closure",
    _ body: @escaping @Sendable (Inputs.Element) throws -> Value
  ) throws -> ThreadMap<Value> where Inputs.Element: Sendable {
    let plan = try plan(chunkSize, ordered, timeout, elementTimeout, name, body)
    return ProcessMap(PoolMapRuns(plan, inputs) { $0 })
  }

  private func plan<Input: Sendable, Value: Sendable>(
    _ chunkSize: ChunkSize, _ ordered: Bool, _ timeout: Duration?, _ elementTimeout: Duration?, _ name: String,
    _ body: @escaping @Sendable (Input) throws -> Value
  ) throws -> MapPlan<Input, Value> {
    try MapPlan(self, chunkSize: chunkSize, ordered: ordered, timeout: timeout, elementTimeout: elementTimeout) {
      elements, limits in
      try self.schedule(limits, name: name) {
        elements.map { element in
          isJobCancelled ? .failure(CancellationError()) : Result { try body(element) }
        }
      }
    }
  }
}
