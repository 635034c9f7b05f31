// SPDX-License-Identifier: Apache-2.0

/// The worker process died while it ran the job.
public struct ProcessExpired: Error, Equatable, Sendable, CustomStringConvertible {
  /// What the process exited with, zero included; nil when a signal ended it, or nobody knows.
  public let exitCode: Int32?
  /// The name of the signal that ended it, such as "SIGSEGV"; nil when it exited, or nobody knows.
  public let signal: String?
  public let processID: Int32
  /// The node that it was on; nil: this machine.
  public let node: String?
  /// The function that it ran.
  public let function: String
  /// How long it ran it.
  public let runTime: Duration
  /// The processor time of the process in its whole life.
  public let cpuTime: Duration
  /// The largest resident size of the process, in bytes.
  public let peakMemory: Int
  /// The workers that died in the job, with those of earlier tries.
  public let deaths: Int
  /// Whether it was given up with retries left, since it had taken too many workers with it.
  public let isPoisonous: Bool
  /// What the Swift runtime said of it, such as "main.swift:6: Fatal error: Index out of range"; in C code what `abort`
  /// or `assert` said. Optimized code traps without a message for most failures.
  public let message: String?
  /// Whether the stack was used up. One that was used up on a thread of the job's own leaves no trace.
  public let isStackOverflow: Bool
  /// Whether the kernel has probably killed the process for want of memory: it was SIGKILL, none of the pool's, and while
  /// the job ran, or in the second before, the kernel killed some process in this one's control group (where that cannot be
  /// read: on the machine). Whom is not told; each such kill counts for one job of the pool at most.
  public let isLikelyOutOfMemory: Bool
  /// Where it was; nil when it exited or was killed, or could record nothing.
  public let backtrace: RemoteBacktrace?
  /// The end of what the job wrote to its standard error; nil when that was not captured.
  public let outputTail: String?
  /// What is known besides the message, in words.
  private let summary: String?

  init(
    _ end: Outcome.End, processID: Int32, function: String, runTime: Duration, cpuTime: Duration, peakMemory: Int,
    deaths: Int, isPoisonous: Bool, outputTail: String?, node: String?
  ) {
    exitCode = end.exitCode
    signal = end.signal.map(signalName)
    self.processID = processID
    self.node = node
    self.function = function
    self.runTime = runTime
    self.cpuTime = cpuTime
    self.peakMemory = peakMemory
    self.deaths = deaths
    self.isPoisonous = isPoisonous
    self.outputTail = outputTail
    message = end.crash?.message
    isStackOverflow = end.crash?.isStackOverflow ?? false
    isLikelyOutOfMemory = end.isLikelyOutOfMemory
    backtrace = end.crash.map { RemoteBacktrace($0.backtrace) }
    summary = end.crash?.summary
  }

  /// What it died of, in words: the message, without the place that it begins with; or what debug information calls
  /// the trap, such as "arithmetic overflow"; or what the signal means. Nil when nothing is known.
  public var reason: String? {
    if let message { return Self.withoutPlace(message) }
    if isLikelyOutOfMemory { return "probably out of memory" }
    if backtrace == nil && signal == "SIGSEGV" { return "probably a stack overflow on a thread of the job" }
    return isStackOverflow ? "stack overflow" : trap ?? summary
  }

  /// Only of what is a trap: memory may fail in the same function.
  private var trap: String? { signal == "SIGILL" || signal == "SIGTRAP" ? backtrace?.trap : nil }

  /// Without "file.swift:7: " at its beginning.
  private static func withoutPlace(_ message: String) -> String {
    let parts = message.split(separator: ": ", maxSplits: 1)
    guard parts.count == 2, let colon = parts[0].lastIndex(of: ":"), Int(parts[0][colon...].dropFirst()) != nil else {
      return message
    }
    return String(parts[1])
  }

  /// A short report: a line that says what happened, then one for each frame of the backtrace, the first twelve.
  ///
  /// The backtrace gets its names when this is first asked for: see ``RemoteBacktrace``.
  public var description: String {
    let how =
      if let signal { "crashed: \(signal)" } else if let exitCode { "exited with code \(exitCode)" } else {
        "was lost with the fork server"
      }
    let why = (message ?? reason).map { ": \($0)" } ?? ""
    let place = node.map { " on \($0)" } ?? ""
    let first = "worker \(processID)\(place) \(how) in \(function) after \(runTime.short)\(why)"
    guard let backtrace else { return first }
    let frames = backtrace.frames
    let more = frames.count > 12 || backtrace.isTruncated ? ["..."] : []
    return ([first] + frames.prefix(12).map(\.description) + more).joined(separator: "\n    ")
  }
}
