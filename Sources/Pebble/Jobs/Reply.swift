// SPDX-License-Identifier: Apache-2.0

/// What the status of a call that did not succeed says about its reply's bytes.
enum ReplyCode: Int32 {
  /// They are the error that the function threw.
  case thrown = 1
  /// They are a text: why the arguments could not be decoded.
  case badArguments
  /// They are a text: why the result could not be encoded.
  case badResult
}

/// What a reply means to the host.
enum Reply {
  static func error(code: Int32, _ bytes: UnsafeRawBufferPointer) -> any Error {
    switch ReplyCode(rawValue: code) {
    case .thrown:
      (try? ErrorCoding.decode(bytes)) ?? PebbleError(.undecodable, "the thrown error")
    case .badArguments:
      PebbleError(.undecodable, "the arguments, in the worker: \(text(bytes))")
    case .badResult:
      PebbleError(.undecodable, "the result, in the worker: \(text(bytes))")
    case nil:
      PebbleError(errno: -code, while: "the reply")
    }
  }

  static func value<Value: Decodable>(_ type: Value.Type, _ bytes: UnsafeRawBufferPointer) throws -> Value {
    try value(type, from: BinaryDecoder(bytes))
  }

  static func value<Value: Decodable>(_ type: Value.Type, from decoder: BinaryDecoder) throws -> Value {
    do {
      return try decoder.decode(type)
    } catch {
      throw PebbleError(.undecodable, "the result as \(type), in the host: \(error)")
    }
  }

  private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
    (try? BinaryDecoder(bytes).decode(String.self)) ?? "no reason given"
  }
}
