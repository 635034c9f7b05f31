// SPDX-License-Identifier: Apache-2.0

extension ProcessPool {
  /// Calls a function with every element of a sequence.
  ///
  /// - Parameters:
  ///   - function: what to call: `#process(f)`.
  ///   - inputs: one of its elements is an argument of each call.
  ///   - chunkSize: how many elements one job computes; more of them cost less each.
  ///   - ordered: whether the results are in the order of the inputs, or come as they complete.
  ///   - timeout: how long a chunk may run; when it does for longer, all of its elements get the error.
  ///   - elementTimeout: how long an element may run. A chunk may run for as long as its elements together; when it
  ///     does for longer they are run again one by one, each with its own limit.
  /// - Throws: ``PebbleError``: `chunkSize` is below 1, or a limit is not positive.
  @inlinable
  public func map<Inputs: Sequence & Sendable, Value: Codable & Sendable>(
    _ function: ProcessFunction<Value, Inputs.Element>, _ inputs: Inputs, chunkSize: ChunkSize = 1,
    ordered: Bool = true, timeout: Duration? = nil, elementTimeout: Duration? = nil
  ) throws -> ProcessMap<Value> where Inputs.Element: Codable & Sendable {
    let areThere = inputs is any Collection && !(inputs is any LazySequenceProtocol)
    return try map(function, chunkSize, ordered, timeout, elementTimeout, inputsAreThere: areThere) {
      var inputs = inputs.makeIterator()
      return { count in
        var elements: [Inputs.Element] = []
        while elements.count < count, let input = inputs.next() { elements.append(input) }
        return elements
      }
    }
  }

  /// - Parameter inputs: begins the inputs; what it returns takes so many of them, fewer at their end. Compiled for the
  ///   caller's sequence.
  @usableFromInline
  func map<Input: Codable & Sendable, Value: Codable & Sendable>(
    _ function: ProcessFunction<Value, Input>, _ chunkSize: ChunkSize, _ ordered: Bool, _ timeout: Duration?,
    _ elementTimeout: Duration?, inputsAreThere: Bool, inputs: @escaping @Sendable () -> (Int) -> [Input]
  ) throws -> ProcessMap<Value> {
    var plan = try plan(function, chunkSize, ordered, timeout, elementTimeout) { (element: Input, payload) in
      try payload.append(arguments: element)
    }
    plan.inputsAreThere = inputsAreThere
    return ProcessMap(PoolMapRuns(plan, inputs))
  }

  /// Calls a function with the elements of two sequences, pair by pair, until the shorter one ends.
  public func map<First: Sequence & Sendable, Second: Sequence & Sendable, Value: Codable & Sendable>(
    _ function: ProcessFunction<Value, First.Element, Second.Element>, _ first: First, _ second: Second,
    chunkSize: ChunkSize = 1, ordered: Bool = true, timeout: Duration? = nil, elementTimeout: Duration? = nil
  ) throws -> ProcessMap<Value>
  where First.Element: Codable & Sendable, Second.Element: Codable & Sendable {
    let plan = try plan(function, chunkSize, ordered, timeout, elementTimeout) {
      (element: (First.Element, Second.Element), payload) in
      try payload.append(arguments: element.0, element.1)
    }
    return ProcessMap(PoolMapRuns(plan, zip(first, second)) { $0 })
  }

  /// Calls a function with the elements of three sequences, one of each, until the shortest one ends.
  public func map<
    First: Sequence & Sendable, Second: Sequence & Sendable, Third: Sequence & Sendable, Value: Codable & Sendable
  >(
    _ function: ProcessFunction<Value, First.Element, Second.Element, Third.Element>, _ first: First,
    _ second: Second, _ third: Third, chunkSize: ChunkSize = 1, ordered: Bool = true, timeout: Duration? = nil,
    elementTimeout: Duration? = nil
  ) throws -> ProcessMap<Value>
  where First.Element: Codable & Sendable, Second.Element: Codable & Sendable, Third.Element: Codable & Sendable {
    let plan = try plan(function, chunkSize, ordered, timeout, elementTimeout) {
      (element: (First.Element, Second.Element, Third.Element), payload) in
      try payload.append(arguments: element.0, element.1, element.2)
    }
    return ProcessMap(PoolMapRuns(plan, zip(zip(first, second), third)) { ($0.0.0, $0.0.1, $0.1) })
  }

  /// Calls a function with the elements of four sequences, one of each, until the shortest one ends.
  public func map<
    First: Sequence & Sendable, Second: Sequence & Sendable, Third: Sequence & Sendable, Fourth: Sequence & Sendable,
    Value: Codable & Sendable
  >(
    _ function: ProcessFunction<Value, First.Element, Second.Element, Third.Element, Fourth.Element>, _ first: First,
    _ second: Second, _ third: Third, _ fourth: Fourth, chunkSize: ChunkSize = 1, ordered: Bool = true,
    timeout: Duration? = nil, elementTimeout: Duration? = nil
  ) throws -> ProcessMap<Value>
  where
    First.Element: Codable & Sendable, Second.Element: Codable & Sendable, Third.Element: Codable & Sendable,
    Fourth.Element: Codable & Sendable
  {
    let plan = try plan(function, chunkSize, ordered, timeout, elementTimeout) {
      (element: (First.Element, Second.Element, Third.Element, Fourth.Element), payload) in
      try payload.append(arguments: element.0, element.1, element.2, element.3)
    }
    return ProcessMap(
      PoolMapRuns(plan, zip(zip(first, second), zip(third, fourth))) { ($0.0.0, $0.0.1, $0.1.0, $0.1.1) })
  }

  /// Calls a function with every element of an asynchronous sequence, which is taken in a task of its own.
  ///
  /// A chunk is begun when it has all of its elements, or the sequence has ended. When the sequence throws, its error
  /// comes as one more result, the last. See the form for a plain sequence for the parameters.
  public func map<Inputs: AsyncSequence & Sendable, Value: Codable & Sendable>(
    _ function: ProcessFunction<Value, Inputs.Element>, _ inputs: Inputs, chunkSize: ChunkSize = 1,
    ordered: Bool = true, timeout: Duration? = nil, elementTimeout: Duration? = nil
  ) throws -> ProcessMap<Value> where Inputs.Element: Codable & Sendable {
    let plan = try plan(function, chunkSize, ordered, timeout, elementTimeout) {
      (element: Inputs.Element, payload) in
      try payload.append(arguments: element)
    }
    return ProcessMap(PoolMapRuns(plan, inputs) { $0 })
  }

  private func plan<Input, Value: Codable & Sendable, each Argument: Codable & Sendable>(
    _ function: ProcessFunction<Value, repeat each Argument>, _ chunkSize: ChunkSize, _ ordered: Bool,
    _ timeout: Duration?, _ elementTimeout: Duration?, encode: @escaping @Sendable (Input, Payload) throws -> Void
  ) throws -> MapPlan<Input, Value> {
    try MapPlan(self, chunkSize: chunkSize, ordered: ordered, timeout: timeout, elementTimeout: elementTimeout) {
      elements, limits in
      let (input, outline) = Payload.chunk(elements, encode)
      guard outline.count > 0 else { return ProcessFuture(.success(outline.all([]))) }
      return try self.start(Job(function, title: nil, limits: limits), input) { try outline.all(Value.self, $0) }
    }
  }
}
