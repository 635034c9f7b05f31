// SPDX-License-Identifier: Apache-2.0

/// A line that a worker wrote, where ``WorkerOutput/capture`` is asked for.
public struct WorkerLine: Sendable, Equatable {
  public enum Stream: Sendable {
    case standardOutput, standardError
  }

  public let stream: Stream
  /// Of the worker.
  public let processID: Int32
  /// The name of the job that ran, which is its function's unless it was given another; empty between jobs.
  public let job: String
  /// Without the newline.
  public let bytes: [UInt8]
  /// Whether no newline came behind it: it is longer than 64 KiB and goes on, or its job ended there.
  public let isPartial: Bool

  /// The bytes as text, repaired where they are no UTF-8.
  public var text: String { String(decoding: bytes, as: UTF8.self) }
}
