// SPDX-License-Identifier: Apache-2.0

/// Writes an encoded result; throws what encoding it threw.
typealias EncodeResult = (Payload) throws -> Void

/// The answer to one call, as its worker makes it.
struct Answer {
  let code: Int32
  let bytes = Payload()

  /// - Parameter badArgument: why the arguments could not be decoded; then `outcome` is that failure.
  init(_ outcome: Result<EncodeResult, any Error>, badArgument: (any Error)?) {
    switch outcome {
    case .success(let encode):
      do {
        try encode(bytes)
        code = 0
      } catch {
        code = ReplyCode.badResult.rawValue
        Self.write(String(describing: error), to: bytes)
      }
    case .failure where badArgument != nil:
      code = ReplyCode.badArguments.rawValue
      Self.write(String(describing: badArgument!), to: bytes)
    case .failure(let error):
      code = ReplyCode.thrown.rawValue
      ErrorCoding.encode(error, into: bytes)
    }
  }

  private static func write(_ text: String, to bytes: Payload) {
    try! bytes.append(text)  // a String can always be encoded
  }
}
