// SPDX-License-Identifier: Apache-2.0
#if Logging
  internal import Logging
#endif
#if Metrics
  internal import Metrics
#endif
#if Tracing
  internal import Tracing
#endif

/// What a pool's configuration has of other packages, where package traits bring them in.
struct Integrations: Sendable {
  #if Logging
    var logger: Logger?
  #endif
  #if Metrics
    var metrics: (any MetricsFactory)?
  #endif
  #if Tracing
    var tracer: (any Tracer)?
  #endif

  /// Who is to be told of the jobs of a pool.
  func observers(ofPool name: String?) -> JobObservers {
    let pool = name ?? "pool"
    var all: [any JobObserver] = []
    #if Logging
      if let logger { all.append(JobLog(logger, pool: pool)) }
    #endif
    #if Metrics
      if let metrics { all.append(JobMetrics(metrics, pool: pool)) }
    #endif
    #if Tracing
      if let tracer { all.append(JobTracer(tracer, pool: pool)) }
    #endif
    _ = pool
    return JobObservers(all: all)
  }

  /// What is to be called for the lines that a pool's workers write.
  func lineHandler(of configuration: ProcessPool.Configuration) -> (@Sendable (WorkerLine) -> Void)? {
    #if Logging
      if let logger { return JobLog(logger, pool: configuration.name ?? "pool").lineHandler(of: configuration) }
    #endif
    return configuration.onOutput
  }
}
