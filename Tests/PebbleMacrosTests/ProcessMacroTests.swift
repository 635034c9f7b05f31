// SPDX-License-Identifier: Apache-2.0
#if Macros
  import SwiftSyntaxMacrosGenericTestSupport
  import Testing

  @Suite("#process")
  struct ProcessMacroTests {
    @Test("names the function after its source", arguments: ["f", "Image.decode", "decode(_:side:)"])
    func function(name: String) {
      expect(
        "let p = #process(\(name))",
        expandsTo: """
          let p = Pebble.ProcessFunction(name: "\(name)", entry: { Pebble.ProcessCall($0).run(\(name)) })
          """)
    }

    @Test("leaves the cast that chooses an overload out of the name")
    func overload() {
      expect(
        "let p = #process(f as (Int) -> Int)",
        expandsTo: """
          let p = Pebble.ProcessFunction(name: "f", entry: { Pebble.ProcessCall($0).run(f as (Int) -> Int) })
          """)
    }

    @Test("keeps a closure on its line")
    func closure() {
      expect(
        """

        let p = #process { (n: Int) in
          n * n
        }
        """,
        expandsTo: """

          let p = Pebble.ProcessFunction(name: "closure at test.swift:2", entry: {
          #sourceLocation(file: "test.swift", line: 2)
          return Pebble.ProcessCall($0).run({ (n: Int) in
            n * n
          })
          #sourceLocation()
          })
          """)
    }

    @Test("takes a closure in parentheses, too")
    func closureInParentheses() {
      expect(
        "let p = #process({ () -> Int in 1 })",
        expandsTo: """
          let p = Pebble.ProcessFunction(name: "closure at test.swift:1", entry: {
          #sourceLocation(file: "test.swift", line: 1)
          return Pebble.ProcessCall($0).run({ () -> Int in 1 })
          #sourceLocation()
          })
          """)
    }

    @Test(
      "needs the types of a closure's parameters",
      arguments: [
        (closure: "{ n in n }", parameter: "n", advice: "'n': write '(n: …) in'"),
        (closure: "{ (n) in n }", parameter: "n", advice: "'n': write '(n: …) in'"),
        (closure: "{ [1].map { $0 } + [$1] }", parameter: "$1", advice: "'$1': write '{ (value: …) in'"),
      ])
    func untypedParameters(closure: String, parameter: String, advice: String) throws {
      let source = "#process \(closure)"
      let range = try #require(source.firstRange(of: parameter))
      expect(
        source, expandsTo: source,
        diagnostics: [
          DiagnosticSpec(
            message: "'#process' needs the type of the closure's parameter \(advice)", line: 1,
            column: source.utf8.distance(from: source.startIndex, to: range.lowerBound) + 1)
        ])
    }

    @Test(
      "refuses what a closure says it captures",
      arguments: [
        (closure: "{ [limit] (n: Int) in n + limit }", culprit: "limit]", name: "limit"),
        (closure: "{ [weak image = picture] (n: Int) in n }", culprit: "weak image", name: "image"),
        (closure: "{ (n: Int) in n + self.limit }", culprit: "self.", name: "self"),
      ])
    func captures(closure: String, culprit: String, name: String) throws {
      let source = "#process \(closure)"
      let range = try #require(source.firstRange(of: culprit))
      expect(
        source, expandsTo: source,
        diagnostics: [
          DiagnosticSpec(
            message: "'#process' cannot take '\(name)' along to a worker process; make it a parameter of the closure "
              + "and pass it as an argument",
            line: 1, column: source.utf8.distance(from: source.startIndex, to: range.lowerBound) + 1)
        ])
    }

    @Test("lets types within a closure have a 'self'")
    func inner() {
      let closure = """
        { (n: Int) in
          struct S {
            var me: S { self }
          }
          return Int.self == type(of: n)
        }
        """
      expect(
        "#process \(closure)",
        expandsTo: """
          Pebble.ProcessFunction(name: "closure at test.swift:1", entry: {
          #sourceLocation(file: "test.swift", line: 1)
          return Pebble.ProcessCall($0).run(\(closure))
          #sourceLocation()
          })
          """)
    }

    @Test("warns of variables that main.swift may declare")
    func mainFile() {
      let closure = """
        { (n: Int, by m: Int) in
          let k = n + m
          let path = \\Image.width
          return [k].map { x in x + limit + helper(limit) + Int.max + options.count + image[keyPath: path].count }
        }
        """
      let advice =
        "does not exist in worker processes if it is declared in main.swift; "
        + "declare it in another file or pass it as an argument"
      expect(
        "#process \(closure)",
        expandsTo: """
          Pebble.ProcessFunction(name: "closure at main.swift:1", entry: {
          #sourceLocation(file: "main.swift", line: 1)
          return Pebble.ProcessCall($0).run(\(closure))
          #sourceLocation()
          })
          """,
        diagnostics: [
          DiagnosticSpec(message: "'limit' \(advice)", line: 4, column: 29, severity: .warning),
          DiagnosticSpec(message: "'options' \(advice)", line: 4, column: 63, severity: .warning),
          DiagnosticSpec(message: "'image' \(advice)", line: 4, column: 79, severity: .warning),
        ],
        in: "main.swift")
    }

    @Test("is quiet in main.swift about closures that use their arguments only")
    func mainFileWithoutVariables() {
      expect(
        "#process { (n: Int) in n * n }",
        expandsTo: """
          Pebble.ProcessFunction(name: "closure at main.swift:1", entry: {
          #sourceLocation(file: "main.swift", line: 1)
          return Pebble.ProcessCall($0).run({ (n: Int) in n * n })
          #sourceLocation()
          })
          """,
        in: "main.swift")
    }
  }
#endif
