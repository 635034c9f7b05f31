// SPDX-License-Identifier: Apache-2.0
#if Metrics
  public import Metrics

  extension ProcessPool.Configuration {
    /// Where the pool's jobs are counted and timed; `MetricsSystem.factory` for that of the program. With the trait
    /// `Metrics`.
    ///
    /// All have the dimension `pool`, its name:
    /// - `pebble_jobs`, a counter, with the dimension `outcome`: "succeeded", "failed", "timed out", "cancelled",
    ///   "expired", "not run", and "refused" for those that could not be scheduled;
    /// - `pebble_jobs_pending`, a meter: jobs that wait or run;
    /// - `pebble_job_wait_time` and `pebble_job_run_time`, timers, of jobs that began.
    public var metrics: (any MetricsFactory)? {
      get { integrations.metrics }
      set { integrations.metrics = newValue }
    }
  }

  extension ThreadPool.Configuration {
    /// Where the pool's jobs are counted and timed, as for processes. With the trait `Metrics`.
    public var metrics: (any MetricsFactory)? {
      get { integrations.metrics }
      set { integrations.metrics = newValue }
    }
  }

  /// Counts and times jobs.
  final class JobMetrics: JobObserver, JobObservation {
    private let counters: [JobReport.Kind: Counter]
    private let refused: Counter
    private let pending: Meter
    private let waitTime: Timer
    private let runTime: Timer

    init(_ factory: any MetricsFactory, pool: String) {
      func counter(_ outcome: String) -> Counter {
        Counter(label: "pebble_jobs", dimensions: [("pool", pool), ("outcome", outcome)], factory: factory)
      }
      let dimensions = [("pool", pool)]
      counters = Dictionary(uniqueKeysWithValues: JobReport.Kind.allCases.map { ($0, counter($0.rawValue)) })
      refused = counter("refused")
      pending = Meter(label: "pebble_jobs_pending", dimensions: dimensions, factory: factory)
      waitTime = Timer(label: "pebble_job_wait_time", dimensions: dimensions, factory: factory)
      runTime = Timer(label: "pebble_job_run_time", dimensions: dimensions, factory: factory)
    }

    func willSchedule(_ job: String) -> any JobObservation {
      pending.increment()
      return self
    }

    func wasRefused(_ error: any Error) {
      pending.decrement()
      refused.increment()
    }

    func didEnd(_ report: JobReport) {
      pending.decrement()
      counters[report.kind]?.increment()
      guard report.processID != nil else { return }
      waitTime.recordNanoseconds(report.waitTime.nanoseconds)
      runTime.recordNanoseconds(report.runTime.nanoseconds)
    }
  }
#endif
