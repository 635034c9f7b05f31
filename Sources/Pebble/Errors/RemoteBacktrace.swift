// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// Where a worker was when it crashed, or threw an error.
///
/// Of an `async` function it has those that were called without a suspension since; for who awaits them there is no
/// frame on any stack. The frames get their names when somebody first asks for them, which takes tens of milliseconds
/// where there is debug information to read.
public struct RemoteBacktrace: Sendable, CustomStringConvertible {
  /// A function that was under way.
  public struct Frame: Equatable, Sendable, CustomStringConvertible {
    /// Its name, demangled; nil when the program's symbols do not tell.
    public let function: String?
    /// Where in the source it was, as far as there is debug information.
    public let file: String?
    public let line: Int?
    /// Whether it is part of the next frame's function in the program's code.
    public let isInlined: Bool
    /// The path of the executable or library.
    public let image: String
    /// The place in it, as `addr2line` takes it.
    public let offset: UInt64

    public var description: String {
      guard let function else { return "\(image)+0x\(String(offset, radix: 16))" }
      guard let file, let line else { return "\(function) in \(image)" }
      return "\(function) at \(file):\(line)"
    }
  }

  private let source: Source

  init(_ handle: BacktraceHandle) {
    source = Source(handle, [])
  }

  /// The one in bytes that a worker has sent; nil when there is none in them.
  init?(decoding bytes: [UInt8]) {
    guard !bytes.isEmpty, let handle = BacktraceHandle(decoding: bytes) else { return nil }
    source = Source(handle, bytes)
  }

  /// The bytes that it was made of; empty for a crash.
  var bytes: [UInt8] { source.bytes }

  /// The innermost first, up to the function that the worker was given; without those of Pebble itself.
  public var frames: [Frame] { source.found.frames }

  /// Whether there are more, outer ones.
  public var isTruncated: Bool { source.handle.isTruncated }

  /// What the debug information calls the trap, such as "arithmetic overflow"; nil when it does not tell.
  var trap: String? { source.found.trap }

  /// A line for each frame.
  public var description: String {
    (frames.map(\.description) + (isTruncated ? ["..."] : [])).joined(separator: "\n")
  }
}

extension RemoteBacktrace: Equatable {
  /// Whether they are of the same crash, or of throws at the same place.
  public static func == (left: RemoteBacktrace, right: RemoteBacktrace) -> Bool {
    left.source.handle == right.source.handle || (!left.bytes.isEmpty && left.bytes == right.bytes)
  }
}

/// The frames, found once.
private final class Source: Sendable {
  let handle: BacktraceHandle
  let bytes: [UInt8]
  private let cache = Mutex<Symbolication?>(nil)

  init(_ handle: BacktraceHandle, _ bytes: [UInt8]) {
    self.handle = handle
    self.bytes = bytes
  }

  var found: Symbolication {
    cache.withLock { cache in
      if let cache { return cache }
      let found = Symbolication(of: handle.frames)
      cache = found
      return found
    }
  }
}
