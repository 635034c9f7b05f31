// SPDX-License-Identifier: Apache-2.0

/// Names and places for the frames of a crash: from the debug information when the toolchain's `Runtime` module can
/// read it, else what the C library found in the symbol tables.
struct Symbolication: Sendable {
  private(set) var frames: [RemoteBacktrace.Frame] = []
  /// What the compiler calls the trap, as far as debug information tells.
  private(set) var trap: String?

  init(of captured: [BacktraceHandle.Frame]) {
    // Where the C library has a name, it has seen that the file is the one that the worker ran.
    // Of executables with fixed addresses (-static-executable) `Runtime` would take offsets for something else.
    let found = DebugInformation(of: captured.filter { $0.function != nil && $0.isRelocated })
    trap = found.trap
    for frame in captured {
      let details = found[frame]
      frames += details.isEmpty ? [Self.plain(frame)].compactMap(\.self) : Self.merged(details, frame)
    }
  }

  private static func plain(_ frame: BacktraceHandle.Frame) -> RemoteBacktrace.Frame? {
    guard !frame.isMachinery else { return nil }
    return .init(
      function: frame.function, file: nil, line: nil, isInlined: false, image: frame.place.image,
      offset: frame.place.offset)
  }

  private static func merged(
    _ details: [DebugInformation.Frame], _ frame: BacktraceHandle.Frame
  ) -> [RemoteBacktrace.Frame] {
    details.filter { !$0.isMachinery }.map {
      .init(
        function: $0.function ?? frame.function, file: $0.file, line: $0.line, isInlined: $0.isInlined,
        image: frame.place.image, offset: frame.place.offset)
    }
  }
}
