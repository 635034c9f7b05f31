// SPDX-License-Identifier: Apache-2.0

/// An order, checked.
struct Order {
  struct Line {
    var quantity: Int
    var cents: Int
    var vatClass: Int
  }

  var year: Int
  var month: Int
  var day: Int
  var lines: [Line]
}

extension Order {
  /// Checks a document and takes the numbers out of it.
  init(_ document: JSON) throws(InvalidDocument) {
    // As in 2025-00417.
    guard case .string(let number)? = document["order"], number.wholeMatch(of: /[0-9]{4}-[0-9]{5}/) != nil else {
      throw InvalidDocument("the order number is missing or malformed")
    }
    guard case .array(let lines)? = document["lines"], !lines.isEmpty else {
      throw InvalidDocument("there are no lines")
    }
    guard let date = document["date"],
      let year = date["year"]?.integer, let month = date["month"]?.integer, let day = date["day"]?.integer
    else { throw InvalidDocument("a part of the date is missing") }

    self.init(year: year, month: month, day: day, lines: [])
    guard month >= 1, day >= 1, day <= Self.monthDays[month - 1] else {
      throw InvalidDocument("there is no such date")
    }
    for line in lines { self.lines.append(try Line(line)) }
  }

  private static let monthDays = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

extension Order.Line {
  init(_ line: JSON) throws(InvalidDocument) {
    guard case .string(let article)? = line["article"],
      let quantity = line["quantity"]?.integer,
      let cents = line["price"]?.hundredths,
      let vatClass = line["vat"]?.integer
    else { throw InvalidDocument("a line lacks its article, quantity, price or vat") }

    // Words, joined by the same sign throughout, as in lamp-oak-40.
    guard article.wholeMatch(of: /[a-z0-9]+([-_.]?)[a-z0-9]+(\1[a-z0-9]+)*/) != nil else {
      throw InvalidDocument("an article is malformed")
    }
    guard quantity != 0 else { throw InvalidDocument("a quantity is zero") }
    guard cents >= 0 else { throw InvalidDocument("a price is negative") }
    guard vatClass >= 0 else { throw InvalidDocument("a vat class is negative") }
    self.init(quantity: quantity, cents: cents, vatClass: vatClass)
  }
}

extension JSON {
  fileprivate subscript(name: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members[name]
  }

  fileprivate var integer: Int? {
    guard case .number(let number) = self else { return nil }
    return number.scaled(by: 0)
  }

  fileprivate var hundredths: Int? {
    guard case .number(let number) = self else { return nil }
    return number.scaled(by: 2)
  }
}

extension JSONNumber {
  /// The number as a count of 10^-`places`, e.g. 12.5 as 1250 hundredths.
  func scaled(by places: Int) -> Int {
    let power = exponent + places
    return power < 0 ? digits / Self.powersOfTen[-power] : digits * Self.powersOfTen[power]
  }

  private static let powersOfTen = Array(sequence(first: 1) { $0 < 1_000_000_000_000_000_000 ? $0 * 10 : nil })
}
