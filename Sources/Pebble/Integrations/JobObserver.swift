// SPDX-License-Identifier: Apache-2.0

/// Someone who is told of every job of a pool.
protocol JobObserver: Sendable {
  /// A job is about to be scheduled.
  func willSchedule(_ job: String) -> any JobObservation
}

/// Someone who is told of one job.
protocol JobObservation: Sendable {
  /// It could not be scheduled.
  func wasRefused(_ error: any Error)

  /// It has its outcome. May block.
  func didEnd(_ report: JobReport)
}

/// What became of a job, for people.
struct JobReport: Sendable {
  enum Kind: String, CaseIterable, Sendable {
    case succeeded
    case failed
    case timedOut = "timed out"
    case cancelled
    case expired
    case notRun = "not run"
    case nodeLost = "node lost"
  }

  let kind: Kind
  let error: (any Error)?
  /// Nil when it never began.
  let processID: Int32?
  let waitTime: Duration
  let runTime: Duration

  init(_ outcome: Outcome, error: (any Error)?) {
    kind =
      switch outcome.status {
      case .success: .succeeded
      case .failure: .failed
      case .timeout: .timedOut
      case .cancelled: .cancelled
      case .expired: .expired
      case .notRun, .notInitialized: .notRun
      case .nodeLost: .nodeLost
      }
    self.error = error
    processID = outcome.hasStarted ? outcome.processID : nil
    waitTime = outcome.waitTime
    runTime = outcome.runTime
  }
}

/// All who are told of a pool's jobs; none, as a rule.
struct JobObservers: Sendable {
  let all: [any JobObserver]

  func willSchedule(_ job: String) -> JobObservations {
    JobObservations(all: all.isEmpty ? [] : all.map { $0.willSchedule(job) })
  }
}

/// All who are told of one job.
struct JobObservations: Sendable {
  let all: [any JobObservation]

  /// Schedules the job, and sees to it that all are told what becomes of it.
  ///
  /// - Parameter error: makes the error of an outcome that is no success.
  func follow(
    error: @escaping @Sendable (Outcome) -> (any Error)?, schedule: () throws -> FutureHandle
  ) throws -> FutureHandle {
    guard !all.isEmpty else { return try schedule() }
    do {
      let future = try schedule()
      try future.onDone(inline: false) { [all] in
        guard let outcome = future.outcome else { return }
        let report = JobReport(outcome, error: error(outcome))
        for observation in all { observation.didEnd(report) }
      }
      return future
    } catch {
      for observation in all { observation.wasRefused(error) }
      throw error
    }
  }
}
