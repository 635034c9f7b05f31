// SPDX-License-Identifier: Apache-2.0

/// A shell command with places for a line of input.
///
/// `{}` stands for the line, quoted so that the shell sees one word whatever is in it, and `{#}` for its number. A
/// command without `{}` gets the line behind it.
struct CommandTemplate: Equatable {
  private enum Part: Equatable {
    case text(String)
    case line
    case number
  }

  private let parts: [Part]

  init(words: [String]) {
    var parts: [Part] = []
    var rest = words.joined(separator: " ")[...]
    var text = ""
    while let first = rest.first {
      if rest.hasPrefix("{}") || rest.hasPrefix("{#}") {
        if !text.isEmpty { parts.append(.text(text)) }
        text = ""
        parts.append(rest.hasPrefix("{}") ? .line : .number)
        rest = rest.dropFirst(rest.hasPrefix("{}") ? 2 : 3)
      } else {
        text.append(first)
        rest = rest.dropFirst()
      }
    }
    if !text.isEmpty { parts.append(.text(text)) }
    self.parts = parts.contains(.line) ? parts : parts + [.text(" "), .line]
  }

  func command(line: String, number: Int) -> String {
    parts.map { part in
      switch part {
      case .text(let text): text
      case .line: Self.quoted(line)
      case .number: String(number)
      }
    }.joined()
  }

  /// A word for the shell: in single quotes, unless it has nothing that the shell could read otherwise.
  static func quoted(_ word: String) -> String {
    let plain = { (byte: UInt8) -> Bool in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "-_./:,+@%".utf8.contains(byte)
      }
    }
    if !word.isEmpty, word.utf8.allSatisfy(plain) { return word }
    return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
  }
}
