// SPDX-License-Identifier: Apache-2.0
#if Tracing
  internal import Tracing
#endif

// How the context of a job's span comes to where the job runs.

extension JobObservations {
  /// The closure, in the context of the job's span.
  func inContext<Value>(_ body: @escaping @Sendable () throws -> Value) -> @Sendable () throws -> Value {
    #if Tracing
      if let span { return { try ServiceContext.withValue(span.span.context) { try body() } } }
    #endif
    return body
  }

  /// The job's input, with the context of its span.
  func inContext(_ input: Payload) throws -> Payload {
    #if Tracing
      if let span { return try TracedInput.make(of: input, span) }
    #endif
    return input
  }

  #if Tracing
    private var span: JobSpan? {
      for case let span as JobSpan in all { return span }
      return nil
    }
  #endif
}

#if Tracing
  /// An input behind the context in which it is to be run.
  struct TracedInput {
    private let context: ServiceContext
    private let input: UnsafeRawBufferPointer

    static func make(of input: Payload, _ span: JobSpan) throws -> Payload {
      var carrier: [String: String] = [:]
      span.tracer.inject(span.span.context, into: &carrier, using: Carrier())
      let traced = Payload()
      traced.append(raw: InputForm.traced.rawValue)
      let begin = traced.beginPiece()
      try traced.append(carrier)
      traced.endPiece(begin)
      input.withBytes(traced.append(raw:))
      return traced
    }

    /// - Parameter bytes: what `make` has made, less the first byte.
    init(_ bytes: UnsafeRawBufferPointer) {
      var pieces = Pieces(bytes)
      let carrier = pieces.next().flatMap { try? BinaryDecoder($0.piece).decode([String: String].self) }
      var context = ServiceContext.topLevel
      InstrumentationSystem.instrument.extract(carrier ?? [:], into: &context, using: Carrier())
      self.context = context
      input = pieces.rest
    }

    func inContext<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
      ServiceContext.withValue(context) { body(input) }
    }

    func inContext<R>(_ body: (UnsafeRawBufferPointer) async -> R) async -> R {
      await ServiceContext.withValue(context) { await body(input) }
    }
  }

  /// Takes a context to another process.
  private struct Carrier: Injector, Extractor {
    func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
    func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
  }
#endif
