// SPDX-License-Identifier: Apache-2.0
#if canImport(Runtime)
  internal import Runtime
#endif

/// What the toolchain's `Runtime` module reads of frames in the debug information of their images; nothing where there
/// is no such module.
///
/// It is given a list of images that is made here: `ImageMap.capture()` reads whatever is mapped into this process, and
/// crashes it when another thread unmaps that meanwhile.
struct DebugInformation {
  struct Frame {
    let function: String?
    let file: String?
    let line: Int?
    let isInlined: Bool
    /// It is of Pebble itself, of the compiler's making, or of the runtime's throwing.
    let isMachinery: Bool
  }

  /// What the compiler calls the trap at the first frame.
  private(set) var trap: String?
  private var found: [BacktraceHandle.Frame.Place: [Frame]] = [:]

  /// The functions inlined at the place of a frame, then the one they are inlined into. Empty when nothing is known.
  subscript(_ frame: BacktraceHandle.Frame) -> [Frame] { found[frame.place] ?? [] }

  #if canImport(Runtime)
    init(of captured: [BacktraceHandle.Frame]) {
      // Each place once: it takes a millisecond or two, and a stack overflow has the same ones again and again.
      var seen: Set<BacktraceHandle.Frame.Place> = []
      let once = captured.filter { seen.insert($0.place).inserted }
      guard !once.isEmpty, let named = Self.backtrace(of: once)?.symbolicated() else { return }
      trap = named.swiftRuntimeFailure.map { $0.withoutPrefix("Swift runtime failure: ") }
      var rest = named.frames[...]
      for frame in once {
        guard let last = rest.firstIndex(where: { !$0.inlined }) else { return }
        found[frame.place] = rest[...last].map(Frame.init)
        rest = rest[(last + 1)...]
      }
      let innermost = once.first.flatMap { found[$0.place]?.first { !$0.isMachinery }?.function }
      if trap == nil, let innermost {
        trap = Self.unnamedTraps.first { innermost.contains($0.function) }?.words
      }
    }

    /// Functions whose optimized traps have no names, and what they mean.
    private static let unnamedTraps = [
      (function: "Array.subscript.", words: "Index out of range"),
      (function: "Dictionary.init(dictionaryLiteral:", words: "Dictionary literal contains duplicate keys"),
    ]

    /// `Backtrace` has no public initializer but that of `Decodable`.
    private static func backtrace(of captured: [BacktraceHandle.Frame]) -> Backtrace? {
      let stored = StoredBacktrace(captured)
      var bytes = ByteWriter()
      guard (try? BinaryEncoder().encode(stored, into: &bytes)) != nil else { return nil }
      return bytes.withBytes { try? BinaryDecoder($0).decode(Backtrace.self) }
    }
  #else
    init(of captured: [BacktraceHandle.Frame]) {}
  #endif
}

#if canImport(Runtime)
  extension DebugInformation.Frame {
    fileprivate init(_ frame: SymbolicatedBacktrace.Frame) {
      let place = frame.symbol?.sourceLocation
      let isGenerated = place?.path.hasSuffix("<compiler-generated>") == true
      function = frame.symbol?.name
      file = isGenerated ? nil : place?.path
      line = isGenerated ? nil : place?.line
      isInlined = frame.inlined
      isMachinery = frame.isSwiftThunk || frame.isSwiftRuntimeFailure || Self.isMachinery(frame.symbol)
    }

    /// Pebble's own code may be specialized into the program's, where functions of the standard library and C entry
    /// points ("@objc") stand for it.
    private static func isMachinery(_ symbol: SymbolicatedBacktrace.Symbol?) -> Bool {
      guard let symbol else { return false }
      return symbol.rawName.hasPrefix("$s6Pebble") || symbol.rawName.hasPrefix("swift_willThrow")
        || symbol.name.hasPrefix("specialized thunk for ")
        || symbol.name.hasPrefix("@objc closure ")
        || symbol.sourceLocation?.path.hasSuffix("/Sources/Pebble/Jobs/ProcessCall.swift") == true
    }
  }
#endif

extension String {
  fileprivate func withoutPrefix(_ prefix: String) -> String {
    hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self
  }
}
