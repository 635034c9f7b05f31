// SPDX-License-Identifier: Apache-2.0
#if Macros
  import SwiftSyntax
  import SwiftSyntaxMacros

  extension MacroExpansionContext {
    /// The text of `node` under directives that put it where the user wrote it, so that compiler messages, debuggers,
    /// and the backtraces of worker processes point there.
    ///
    /// - Parameters:
    ///   - node: Something the user wrote.
    ///   - prefix: What to put before `node`, on its first line.
    ///   - suffix: What to put behind `node`, on its last line.
    func inPlace(_ node: some SyntaxProtocol, after prefix: String = "", before suffix: String = "") -> String {
      let text = prefix + node.trimmedDescription + suffix
      guard !text.isEmpty, let location = location(of: node, at: .afterLeadingTrivia, filePathMode: .filePath),
        let column = Int(location.column.trimmedDescription)
      else {
        return text
      }
      let indentation = String(repeating: " ", count: max(0, column - 1 - prefix.count))
      return """
        #sourceLocation(file: \(location.file.trimmedDescription), line: \(location.line.trimmedDescription))
        \(indentation)\(text)
        #sourceLocation()
        """
    }

    /// Whether `node` is in main.swift, the file whose globals are set by statements that only the host process runs.
    func isInMainFile(_ node: some SyntaxProtocol) -> Bool {
      let file = location(of: node)?.file.as(StringLiteralExprSyntax.self)?.representedLiteralValue
      return file?.split(separator: "/").last == "main.swift"
    }
  }
#endif
