// SPDX-License-Identifier: Apache-2.0
internal import CPebble

/// What became of a job, in Swift's terms.
struct Outcome {
  enum Status {
    case success
    case failure(code: Int32)
    case timeout(limit: TimeoutError.Limit, length: Duration)
    case cancelled
    case expired(End, cpuTime: Duration, peakMemory: Int, deaths: Int, isPoisonous: Bool)
    case nodeLost(deaths: Int, isPoisonous: Bool)
    case notRun(cause: PebbleError.Code, errno: Int32)
    /// The workers' initializer failed: with this code, or by the end of its process.
    case notInitialized(code: Int32, errno: Int32, End)
  }

  /// How a process ended.
  struct End {
    let exitCode: Int32?
    let signal: Int32?
    let crash: CrashHandle?
    let isLikelyOutOfMemory: Bool
  }

  let status: Status
  let data: UnsafeRawBufferPointer
  let hasStarted: Bool
  let waitTime: Duration
  let runTime: Duration
  let processID: Int32
  /// The end of what the job wrote to its standard error, where that is captured.
  let outputTail: String?
  /// Where the threads of its worker were, when a limit struck.
  let stacks: [ThreadStack]
  /// The node that it was on; nil: this machine, or nowhere.
  let node: String?

  /// - Parameter future: that the outcome belongs to.
  init(_ outcome: pebble_outcome, of future: FutureHandle) {
    status = Status(outcome, End(outcome, of: future))
    data = UnsafeRawBufferPointer(start: outcome.data, count: outcome.length)
    hasStarted = outcome.started
    waitTime = .nanoseconds(outcome.wait_time)
    runTime = .nanoseconds(outcome.run_time)
    processID = outcome.pid
    node = outcome.node.map { String(cString: $0) }
    outputTail = outcome.output_tail.map {
      String(decoding: UnsafeRawBufferPointer(start: $0, count: outcome.output_tail_length), as: UTF8.self)
    }
    stacks = UnsafeBufferPointer(start: outcome.stacks, count: outcome.stack_count).map { ThreadStack($0, of: future) }
  }
}

extension ThreadStack {
  fileprivate init(_ stack: pebble_stack, of future: FutureHandle) {
    let handle = pebble_backtrace_length(stack.backtrace) > 0 ? BacktraceHandle(stack.backtrace, of: future) : nil
    self.init(
      threadID: stack.thread, name: String(cString: stack.name), isMain: stack.main_thread,
      backtrace: handle.map(RemoteBacktrace.init))
  }
}

extension Outcome.End {
  fileprivate init(_ outcome: pebble_outcome, of future: FutureHandle) {
    exitCode = outcome.exit_code >= 0 ? outcome.exit_code : nil
    signal = outcome.exit_signal > 0 ? outcome.exit_signal : nil
    crash = outcome.crash.map { CrashHandle($0, of: future) }
    isLikelyOutOfMemory = outcome.likely_oom
  }
}

extension Outcome.Status {
  fileprivate init(_ outcome: pebble_outcome, _ end: @autoclosure () -> Outcome.End) {
    switch outcome.status {
    case PEBBLE_SUCCESS:
      self = .success
    case PEBBLE_FAILURE:
      self = .failure(code: outcome.code)
    case PEBBLE_TIMEOUT:
      self = .timeout(limit: .init(outcome.limit), length: .nanoseconds(outcome.limit_length))
    case PEBBLE_CANCELLED:
      self = .cancelled
    case PEBBLE_EXPIRED:
      self = .expired(
        end(), cpuTime: .nanoseconds(outcome.cpu_time), peakMemory: Int(outcome.peak_memory),
        deaths: Int(outcome.deaths), isPoisonous: outcome.poisonous)
    case PEBBLE_NODE_LOST:
      self = .nodeLost(deaths: Int(outcome.deaths), isPoisonous: outcome.poisonous)
    case _ where outcome.cause == PEBBLE_CAUSE_INITIALIZER:
      self = .notInitialized(
        code: outcome.code, errno: outcome.error, end())
    default:
      self = .notRun(cause: .init(outcome.cause), errno: outcome.error)
    }
  }
}

extension TimeoutError.Limit {
  fileprivate init(_ limit: pebble_limit) {
    switch limit {
    case PEBBLE_LIMIT_QUEUE_TIMEOUT: self = .queueTimeout
    case PEBBLE_LIMIT_DEADLINE: self = .deadline
    default: self = .timeout
    }
  }
}

extension PebbleError.Code {
  fileprivate init(_ cause: pebble_cause) {
    switch cause {
    case PEBBLE_CAUSE_STOPPED: self = .stopped
    case PEBBLE_CAUSE_NO_ENTRY: self = .noEntry
    case PEBBLE_CAUSE_NO_FUNCTION: self = .noFunction
    case PEBBLE_CAUSE_NODE: self = .nodeStart
    case PEBBLE_CAUSE_OTHER_PROGRAM: self = .otherProgram
    case PEBBLE_CAUSE_CONFINEMENT: self = .confinement
    default: self = .workerStart
    }
  }
}

/// "SIGSEGV" for 11.
func signalName(_ number: Int32) -> String {
  String(cString: pebble_signal_name(number))
}
