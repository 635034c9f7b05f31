// SPDX-License-Identifier: Apache-2.0

extension Outcome {
  /// The error that a caller gets for this outcome; nil when it is a success.
  func error(of function: String) -> (any Error)? {
    switch status {
    case .success:
      nil
    case .failure(let code):
      Reply.error(code: code, data)
    case .timeout(let limit, let length):
      TimeoutError(limit, length, waitTime: waitTime, runTime: runTime, outputTail: outputTail, stacks: stacks)
    case .cancelled:
      CancellationError()
    case .expired(let end, let cpuTime, let peakMemory, let deaths, let isPoisonous):
      ProcessExpired(
        end, processID: processID, function: function, runTime: runTime, cpuTime: cpuTime, peakMemory: peakMemory,
        deaths: deaths, isPoisonous: isPoisonous, outputTail: outputTail, node: node)
    case .nodeLost(let deaths, let isPoisonous):
      NodeLost(node: node ?? "", function: function, runTime: runTime, deaths: deaths, isPoisonous: isPoisonous)
    case .notInitialized(let code, let errno, let end):
      InitializerError(cause: initializerError(code, errno, end), outputTail: outputTail)
    case .notRun(let cause, let errno):
      PebbleError(cause, function, errno: errno == 0 ? nil : errno)
    }
  }

  private func initializerError(_ code: Int32, _ errno: Int32, _ end: Outcome.End) -> any Error {
    if errno != 0 { return PebbleError(.workerStart, "the initializer did not end in time", errno: errno) }
    guard end.exitCode != nil || end.signal != nil else { return Reply.error(code: code, data) }
    return ProcessExpired(
      end, processID: processID, function: "the initializer", runTime: runTime, cpuTime: .zero, peakMemory: 0,
      deaths: 1, isPoisonous: false, outputTail: outputTail, node: node)
  }
}
