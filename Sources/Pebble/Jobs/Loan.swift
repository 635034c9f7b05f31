// SPDX-License-Identifier: Apache-2.0

/// A large array of numbers that is sent from where it is.
struct Loan {
  /// From less it does not pay.
  static let minimum = 65_536

  /// How many bytes of its payload come before it.
  let offset: Int
  let numbers: any LentNumbers
}

protocol LentNumbers {
  func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R
}

extension Array: LentNumbers where Element: RawScalar {
  func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R { try withUnsafeBytes(body) }
}

extension ByteWriter {
  /// What comes before the numbers of `value`, if that is an array that pays to be lent, which is returned.
  @inline(__always)
  mutating func append<T>(headOfLoan value: T) -> (any LentNumbers)? {
    guard MemoryLayout<T>.size == 8, !_isPOD(T.self) else { return nil }
    if let bytes = append(headOf: value, ifArrayOf: UInt8.self) { return bytes }
    if let numbers = append(headOf: value, ifArrayOf: Double.self) { return numbers }
    if let numbers = append(headOf: value, ifArrayOf: Float.self) { return numbers }
    if let numbers = append(headOf: value, ifArrayOf: Int.self) { return numbers }
    if let numbers = append(headOf: value, ifArrayOf: Int32.self) { return numbers }
    if let numbers = append(headOf: value, ifArrayOf: UInt32.self) { return numbers }
    if let numbers = append(headOf: value, ifArrayOf: Int16.self) { return numbers }
    if let numbers = append(headOf: value, ifArrayOf: UInt16.self) { return numbers }
    return nil
  }

  @inline(__always)
  private mutating func append<T, Scalar: RawScalar>(
    headOf value: T, ifArrayOf _: Scalar.Type
  ) -> [Scalar]? {
    guard T.self == [Scalar].self else { return nil }
    let array = unsafeBitCast(value, to: [Scalar].self)
    guard array.count >= Loan.minimum / MemoryLayout<Scalar>.stride else { return nil }
    append(headOf: array, of: Scalar.tag)
    return array
  }
}
