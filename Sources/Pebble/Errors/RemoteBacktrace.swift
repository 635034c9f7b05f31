// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// Where a worker was when it crashed.
///
/// The frames get their names when somebody first asks for them, which takes some milliseconds.
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

  init(_ crash: CrashHandle) {
    source = Source(crash)
  }

  /// The innermost first, up to the function that the worker was given; without those of Pebble itself.
  public var frames: [Frame] { source.found.frames }

  /// Whether there are more, outer ones.
  public var isTruncated: Bool { source.crash.isTruncated }

  /// What the debug information calls the trap, such as "arithmetic overflow"; nil when it does not tell.
  var trap: String? { source.found.trap }

  /// A line for each frame.
  public var description: String {
    (frames.map(\.description) + (isTruncated ? ["..."] : [])).joined(separator: "\n")
  }
}

extension RemoteBacktrace: Equatable {
  /// Whether they are of the same crash.
  public static func == (left: RemoteBacktrace, right: RemoteBacktrace) -> Bool {
    left.source.crash == right.source.crash
  }
}

/// The frames, found once.
private final class Source: Sendable {
  let crash: CrashHandle
  private let cache = Mutex<Symbolication?>(nil)

  init(_ crash: CrashHandle) {
    self.crash = crash
  }

  var found: Symbolication {
    cache.withLock { cache in
      if let cache { return cache }
      let found = Symbolication(of: crash.frames)
      cache = found
      return found
    }
  }
}
