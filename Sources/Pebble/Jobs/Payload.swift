// SPDX-License-Identifier: Apache-2.0

/// The bytes of an input or a reply, as they are written.
final class Payload {
  @exclusivity(unchecked) private var bytes = ByteWriter()
  /// What is not in `bytes`.
  @exclusivity(unchecked) private var loans: [Loan] = []
  private let lends: Bool

  /// - Parameter lends: whether large arrays may stay where they are. That pays for whoever uses `withParts`.
  init(lends: Bool = false) {
    self.lends = lends
  }

  var count: Int {
    collect()
    return bytes.count
  }

  /// Whether all of it is in one place.
  var isWhole: Bool { loans.isEmpty }

  func withBytes<R, E>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    collect()
    return try bytes.withBytes(body)
  }

  /// Calls `body` with all bytes, in parts one after the other.
  func withParts<R>(_ body: ([UnsafeRawBufferPointer]) throws -> R) rethrows -> R {
    try bytes.withBytes { try withParts([], loans[...], $0, from: 0, body) }
  }

  private func withParts<R>(
    _ parts: [UnsafeRawBufferPointer], _ loans: ArraySlice<Loan>, _ own: UnsafeRawBufferPointer, from begin: Int,
    _ body: ([UnsafeRawBufferPointer]) throws -> R
  ) rethrows -> R {
    let end = loans.first?.offset ?? own.count
    let parts = parts + [UnsafeRawBufferPointer(rebasing: own[begin..<end])]
    guard let loan = loans.first else { return try body(parts) }
    return try loan.numbers.withBytes { try withParts(parts + [$0], loans.dropFirst(), own, from: end, body) }
  }

  /// Brings all of it to one place.
  private func collect() {
    if isWhole { return }
    var whole = ByteWriter()
    withParts { for part in $0 { whole.append(part) } }
    bytes = whole
    loans = []
  }

  /// Appends an encoded value.
  func append<T: Encodable>(_ value: T) throws {
    if lends, let numbers = bytes.append(headOfLoan: value) {
      loans.append(Loan(offset: bytes.count, numbers: numbers))
    } else {
      try BinaryEncoder().encode(value, into: &bytes)
    }
  }

  func append(raw part: UnsafeRawBufferPointer) {
    bytes.append(part)
  }

  /// Appends the value's own bytes, as `loadUnaligned` reads them.
  func append<T: BitwiseCopyable>(raw value: T) {
    withUnsafeBytes(of: value) { bytes.append($0) }
  }

  /// Appends the arguments of one call.
  func append<each Argument: Encodable>(arguments: repeat each Argument) throws {
    repeat try append(each arguments)
  }

  /// Forgets everything from `offset` on.
  func truncate(to offset: Int) {
    collect()
    bytes.truncate(to: offset)
  }

  /// Begins a piece, see `Pieces`; returns where, for `endPiece`.
  func beginPiece() -> Int {
    append(raw: UInt64(0))
    return count - MemoryLayout<UInt64>.size
  }

  /// Ends a piece: it holds what was appended since its begin.
  func endPiece(_ begin: Int, isMarked: Bool = false) {
    let length = UInt64(count - begin - MemoryLayout<UInt64>.size)
    patch(raw: isMarked ? length | Pieces.mark : length, at: begin)
  }

  /// Begins a marked piece of numbers, to be appended raw; returns where, for `endNumbers`.
  func beginNumbers<Number: RawScalar>(_: Number.Type) -> Int {
    let begin = beginPiece()
    bytes.append(headOfArray: 0, of: Number.tag, size: MemoryLayout<Number>.size)
    return begin
  }

  func endNumbers(_ begin: Int, count: Int, size: Int) {
    collect()
    bytes.patch(headOfArray: count, size: size, at: begin + MemoryLayout<UInt64>.size)
    endPiece(begin, isMarked: true)
  }

  /// Appends a marked piece with these, if they are numbers.
  func append<T>(numbers: [T]) -> Bool {
    guard T.self is any RawScalar.Type else { return false }
    let begin = beginPiece()
    guard bytes.append(directly: numbers) else { preconditionFailure("\(T.self) is a number without a fast path") }
    endPiece(begin, isMarked: true)
    return true
  }

  /// Overwrites what was appended before.
  func patch<T: BitwiseCopyable>(raw value: T, at offset: Int) {
    collect()
    bytes.patch(bare: value, at: offset)
  }
}
