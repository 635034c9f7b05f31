// SPDX-License-Identifier: Apache-2.0

/// A JSON value.
enum JSON {
  case null
  case boolean(Bool)
  case number(JSONNumber)
  case string(String)
  case array([JSON])
  case object([String: JSON])
}

/// `digits` · 10^`exponent`. It stays decimal, so that money does not go through a `Double`.
struct JSONNumber {
  var digits: Int
  var exponent: Int
}

/// A parser by recursive descent, over UTF-8.
struct JSONParser {
  private let bytes: [UInt8]
  private var position = 0

  private init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// Parses the whole text.
  static func parse(_ bytes: [UInt8]) throws(InvalidDocument) -> JSON {
    var parser = JSONParser(bytes)
    let value = try parser.value()
    parser.skipSpace()
    guard parser.peek == nil else { throw parser.failure("something follows the document") }
    return value
  }

  private mutating func value() throws(InvalidDocument) -> JSON {
    skipSpace()
    switch peek {
    case UInt8(ascii: "{"): return try .object(object())
    case UInt8(ascii: "["): return try .array(array())
    case UInt8(ascii: "\""): return try .string(string())
    default: break
    }
    if take("true") { return .boolean(true) }
    if take("false") { return .boolean(false) }
    if take("null") { return .null }
    return try .number(number())
  }

  private mutating func array() throws(InvalidDocument) -> [JSON] {
    var elements: [JSON] = []
    try expect("[")
    skipSpace()
    if take("]") { return elements }
    repeat {
      elements.append(try value())
      skipSpace()
    } while take(",")
    guard take("]") else { throw failure("expected ',' or ']'") }
    return elements
  }

  private mutating func object() throws(InvalidDocument) -> [String: JSON] {
    var members: [String: JSON] = [:]
    try expect("{")
    skipSpace()
    if take("}") { return members }
    repeat {
      skipSpace()
      let name = try string()
      skipSpace()
      try expect(":")
      members[name] = try value()
      skipSpace()
    } while take(",")
    guard take("}") else { throw failure("expected ',' or '}'") }
    return members
  }

  private mutating func number() throws(InvalidDocument) -> JSONNumber {
    let negative = take("-")
    var number = JSONNumber(digits: 0, exponent: 0)
    if take("0") {
      guard digit == nil else { throw failure("a number begins with 0") }
    } else {
      guard digit != nil else { throw failure("expected a value") }
      appendDigits(to: &number.digits)
    }
    if take(".") {
      let fraction = position
      guard digit != nil else { throw failure("expected a digit") }
      appendDigits(to: &number.digits)
      number.exponent = fraction - position
    }
    if take("e") || take("E") {
      let small = !take("+") && take("-")
      var exponent = 0
      guard digit != nil else { throw failure("expected a digit") }
      appendDigits(to: &exponent)
      number.exponent += small ? -exponent : exponent
    }
    if negative { number.digits = -number.digits }
    return number
  }

  private mutating func appendDigits(to number: inout Int) {
    while let digit {
      number = number * 10 + digit
      position += 1
    }
  }

  private mutating func string() throws(InvalidDocument) -> String {
    guard take("\"") else { throw failure("expected a string") }
    let start = position
    var text: [UInt8] = []
    while let byte = peek {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): text += try escape().utf8
      case ..<0x20: throw failure("control character in a string")
      default: text.append(byte)
      }
    }
    position = start
    throw failure("a string has no end")
  }

  /// After the backslash.
  private mutating func escape() throws(InvalidDocument) -> Character {
    defer { position += 1 }
    switch peek {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try unicodeEscape()
    default: throw failure("bad escape in a string")
    }
  }

  /// At the "u"; leaves its last digit. A character outside the basic plane comes as two of them.
  private mutating func unicodeEscape() throws(InvalidDocument) -> Character {
    var units = [try codeUnit()]
    if UTF16.isLeadSurrogate(units[0]), bytes[(position + 1)...].starts(with: "\\u".utf8) {
      position += 2
      units.append(try codeUnit())
    }
    guard let text = String(validating: units, as: UTF16.self) else { throw failure("bad escape in a string") }
    return Character(text)
  }

  private mutating func codeUnit() throws(InvalidDocument) -> UInt16 {
    let digits = String(decoding: bytes[(position + 1)...].prefix(4), as: UTF8.self)
    guard digits.utf8.count == 4, digits.first?.isHexDigit == true, let unit = UInt16(digits, radix: 16) else {
      throw failure("bad escape in a string")
    }
    position += 4
    return unit
  }

  private var peek: UInt8? {
    position < bytes.count ? bytes[position] : nil
  }

  private var digit: Int? {
    guard let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
    return Int(byte - UInt8(ascii: "0"))
  }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
  }

  private mutating func take(_ word: StaticString) -> Bool {
    let wanted = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
    guard bytes[position...].starts(with: wanted) else { return false }
    position += wanted.count
    return true
  }

  private mutating func expect(_ word: StaticString) throws(InvalidDocument) {
    guard take(word) else { throw failure("expected '\(word)'") }
  }

  private func failure(_ problem: String) -> InvalidDocument {
    InvalidDocument("\(problem) at byte \(position)")
  }
}
