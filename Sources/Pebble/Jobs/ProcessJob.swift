// SPDX-License-Identifier: Apache-2.0

/// A type whose values are jobs: what they need, and what they do.
///
/// ```swift
/// struct Thumbnail: ProcessJob {
///   let png: [UInt8]
///   let side: Int
///   func run() throws -> [UInt8] { try decode(png, side) }
/// }
///
/// let image = try await pool.schedule(Thumbnail(png: png, side: 64)).value
/// ```
///
/// The type is known to the worker by its name, so it cannot be private, local to a function, or generic over such.
public protocol ProcessJob: Codable, Sendable {
  associatedtype Result: Codable & Sendable

  /// Runs in a worker process, on the global executor; the worker's main thread serves the main actor.
  func run() async throws -> Result
}

extension ProcessPool {
  /// Schedules a job and returns at once; see the form for a function.
  ///
  /// - Throws: what encoding the job threw, or ``PebbleError``: its type cannot be found by name, the pool is closed, a
  ///   limit is not positive, the priority is out of its range, retries is negative, the job is too large.
  public func schedule<Job: ProcessJob>(
    _ job: Job, timeout: Duration? = nil, queueTimeout: Duration? = nil, deadline: Duration? = nil, priority: Int = 0,
    retries: Int = 0, name: String? = nil
  ) throws -> ProcessFuture<Job.Result> {
    try schedule(
      function(for: Job.self), try TypeName(Job.self), job, timeout: timeout, queueTimeout: queueTimeout,
      deadline: deadline, priority: priority, retries: retries, name: name)
  }

  /// Runs every job of a sequence; see the form for a function.
  public func map<Jobs: Sequence & Sendable>(
    _ jobs: Jobs, chunkSize: ChunkSize = 1, ordered: Bool = true, timeout: Duration? = nil,
    elementTimeout: Duration? = nil
  ) throws -> ProcessMap<Jobs.Element.Result> where Jobs.Element: ProcessJob {
    try map(
      function(for: Jobs.Element.self), repeatElement(try TypeName(Jobs.Element.self), count: .max), jobs,
      chunkSize: chunkSize, ordered: ordered, timeout: timeout, elementTimeout: elementTimeout)
  }
}

/// The name of a type by which every process of the program finds it.
private struct TypeName: Codable {
  let name: String

  init<T>(_ type: T.Type) throws {
    guard let name = _mangledTypeName(type), !name.contains("$"), _typeByName(name) == type else {
      throw PebbleError(.invalidArgument, "\(type) has no name outside of its scope: a job's type cannot be private")
    }
    self.name = name
  }

  /// The type, where it is a job's.
  func job() throws -> any ProcessJob.Type {
    guard let type = _typeByName(name) as? any ProcessJob.Type else {
      throw PebbleError(.noFunction, "the job's type \(name)")
    }
    return type
  }
}

private let jobEntry: ProcessEntry = { ProcessCall($0).runJob() }

private func function<Job: ProcessJob>(for type: Job.Type) -> ProcessFunction<Job.Result, TypeName, Job> {
  ProcessFunction(name: String(describing: type), entry: jobEntry)
}

extension ProcessCall {
  fileprivate func runJob() -> Int32 {
    serveAsync { arguments, reply in try await Self.run(try arguments.next(TypeName.self).job(), arguments, reply) }
  }

  private static func run<Job: ProcessJob>(
    _ type: Job.Type, _ arguments: ArgumentReader, _ reply: ReplyWriter
  ) async throws {
    try reply.put(await arguments.next(type).run())
  }
}
