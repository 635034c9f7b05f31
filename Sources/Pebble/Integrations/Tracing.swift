// SPDX-License-Identifier: Apache-2.0
#if Tracing
  public import Tracing

  extension ProcessPool.Configuration {
    /// Makes a span of each job, from when it is scheduled to its outcome, below the span of the task that schedules it.
    /// With the trait `Tracing`.
    ///
    /// The span is the job's context in the worker too, for the spans that the job makes there, once the worker has a
    /// tracer: its process never runs `main`, so an ``initializer`` has to bootstrap the `InstrumentationSystem`.
    public var tracer: (any Tracer)? {
      get { integrations.tracer }
      set { integrations.tracer = newValue }
    }
  }

  extension ThreadPool.Configuration {
    /// Makes a span of each job, from when it is scheduled to its outcome, below the span of the task that schedules it;
    /// it is the context in which the job runs. With the trait `Tracing`.
    public var tracer: (any Tracer)? {
      get { integrations.tracer }
      set { integrations.tracer = newValue }
    }
  }

  /// Makes spans of jobs.
  struct JobTracer: JobObserver {
    private let tracer: any Tracer
    private let pool: String

    init(_ tracer: any Tracer, pool: String) {
      self.tracer = tracer
      self.pool = pool
    }

    func willSchedule(_ job: String) -> any JobObservation {
      let span = tracer.startSpan(job, ofKind: .producer)
      span.attributes["pebble.pool"] = pool
      return JobSpan(tracer: tracer, span: span)
    }
  }

  /// The span of a job.
  struct JobSpan: JobObservation {
    let tracer: any Tracer
    let span: any Span

    func wasRefused(_ error: any Error) {
      end(error)
    }

    func didEnd(_ report: JobReport) {
      span.attributes["pebble.outcome"] = report.kind.rawValue
      span.attributes["pebble.wait_time"] = report.waitTime.inSeconds
      if let processID = report.processID {
        span.attributes["pebble.pid"] = Int(processID)
        span.attributes["pebble.run_time"] = report.runTime.inSeconds
      }
      end(report.error)
    }

    private func end(_ error: (any Error)?) {
      if let error {
        span.recordError(error)
        span.setStatus(.init(code: .error))
      }
      span.end()
    }
  }

  extension Duration {
    fileprivate var inSeconds: Double { Double(nanoseconds) / 1e9 }
  }
#endif
