// SPDX-License-Identifier: Apache-2.0

/// Where a thread of a worker was whose job ran for too long; see ``ProcessPool/Configuration/stackDump``.
public struct ThreadStack: Equatable, Sendable, CustomStringConvertible {
  /// The kernel's id of the thread.
  public let threadID: Int32
  public let name: String
  /// Whether it is the one that runs functions that are not `async`.
  public let isMain: Bool
  /// Where it was; nil when it did not answer in time.
  public let backtrace: RemoteBacktrace?

  /// A line with its name, then one for each frame.
  public var description: String {
    let first = "thread \(threadID)\(isMain ? " (main)" : "") \"\(name)\""
    guard let backtrace else { return "\(first): did not answer" }
    let frames = backtrace.frames.map { "\n    \($0)" } + (backtrace.isTruncated ? ["\n    ..."] : [])
    return "\(first):\(frames.joined())"
  }
}
