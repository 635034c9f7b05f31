// SPDX-License-Identifier: Apache-2.0
#if Logging
  public import Logging

  extension ProcessPool.Configuration {
    /// Is told what becomes of the pool's jobs: of those that time out, lose their worker or cannot be run as a warning,
    /// of those that throw as information, of all others as debug messages. Lines that workers write, where they are
    /// captured, are information too. With the trait `Logging`.
    public var logger: Logger? {
      get { integrations.logger }
      set { integrations.logger = newValue }
    }
  }

  extension ThreadPool.Configuration {
    /// Is told what becomes of the pool's jobs, as for processes. With the trait `Logging`.
    public var logger: Logger? {
      get { integrations.logger }
      set { integrations.logger = newValue }
    }
  }

  /// Writes to a logger what becomes of jobs.
  struct JobLog: JobObserver {
    private let logger: Logger

    init(_ logger: Logger, pool: String) {
      var logger = logger
      logger[metadataKey: "pebble.pool"] = "\(pool)"
      self.logger = logger
    }

    func willSchedule(_ job: String) -> any JobObservation {
      var logger = logger
      logger[metadataKey: "pebble.job"] = "\(job)"
      return Entry(logger: logger)
    }

    /// Logs lines of workers before they go to whom the configuration says.
    func lineHandler(of configuration: ProcessPool.Configuration) -> (@Sendable (WorkerLine) -> Void)? {
      let onOutput = configuration.onOutput
      let captures = [configuration.standardOutput, configuration.standardError].contains(.capture)
      guard captures else { return onOutput }
      return { [logger] line in
        logger.info(
          "\(line.text)",
          metadata: [
            "pebble.job": "\(line.job)", "pebble.pid": "\(line.processID)",
            "pebble.stream": line.stream == .standardOutput ? "stdout" : "stderr",
          ])
        onOutput?(line)
      }
    }

    private struct Entry: JobObservation {
      let logger: Logger

      func wasRefused(_ error: any Error) {
        logger.warning("job refused", metadata: ["error": "\(error)"])
      }

      func didEnd(_ report: JobReport) {
        var metadata: Logger.Metadata = ["pebble.wait_time": "\(report.waitTime)"]
        if let processID = report.processID {
          metadata["pebble.pid"] = "\(processID)"
          metadata["pebble.run_time"] = "\(report.runTime)"
        }
        if let error = report.error { metadata["error"] = "\(error)" }
        logger.log(level: report.kind.level, "job \(report.kind.rawValue)", metadata: metadata)
      }
    }
  }

  extension JobReport.Kind {
    fileprivate var level: Logger.Level {
      switch self {
      case .succeeded, .cancelled: .debug
      case .failed: .info
      case .timedOut, .expired, .notRun, .nodeLost: .warning
      }
    }
  }
#endif
