import DiffusionImages
import Foundation

/// A table of text with a heading row: tab-separated, or comma-separated with quotes (RFC 4180).
public struct Manifest: Sendable, Equatable {
  /// A row below the heading.
  public struct Row: Sendable, Equatable {
    /// The line of the file on which it starts, from 1.
    public let line: Int
    /// Its fields, as many as there are columns.
    public let fields: [String]
  }

  /// The file.
  public let path: String
  /// The names of the columns.
  public let columns: [String]
  /// The rows below the heading; empty lines are none.
  public let rows: [Row]

  /// Reads a file in UTF-8. It is comma-separated if its name ends in `.csv`, tab-separated if in
  /// `.tsv`, and else by whether its first line has a tab. Only comma-separated files have quotes.
  ///
  /// - Throws: `DataError` where the file is missing, or a row does not fit, with its line.
  public init(reading path: String) throws(DataError) {
    let bytes: [UInt8]
    do throws(ImageError) {
      bytes = try FileBytes.read(path)
    } catch {
      throw .image(error)
    }
    var parser = ManifestParser(bytes: bytes, path: path)
    var rows = try parser.rows()
    guard !rows.isEmpty else {
      throw .malformedManifest(path: path, line: 1, reason: "expected a row of column names")
    }
    let heading = rows.removeFirst()
    if let twice = heading.fields.first(where: { name in heading.fields.count { $0 == name } > 1 })
    {
      throw .malformedManifest(
        path: path, line: heading.line, reason: "two columns are named \"\(twice)\"")
    }
    for row in rows where row.fields.count != heading.fields.count {
      throw .malformedManifest(
        path: path, line: row.line,
        reason: "expected \(heading.fields.count) fields, found \(row.fields.count)")
    }
    self.path = path
    columns = heading.fields
    self.rows = rows
  }

  /// The number of a column.
  ///
  /// - Throws: `DataError.missingColumn`, which lists the columns there are.
  public func index(ofColumn name: String) throws(DataError) -> Int {
    guard let index = columns.firstIndex(of: name) else {
      throw .missingColumn(path: path, column: name, found: columns)
    }
    return index
  }
}

/// Cuts a table into rows and fields, byte by byte.
private struct ManifestParser {
  private static let (tab, comma, quote) = (
    UInt8(ascii: "\t"), UInt8(ascii: ","), UInt8(ascii: "\"")
  )
  private static let (lineFeed, carriageReturn) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))

  private let bytes: [UInt8]
  private let path: String
  private let separator: UInt8
  private var position = 0
  private var line = 1

  init(bytes: [UInt8], path: String) {
    self.bytes = Array(bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...])
    self.path = path
    let firstLine = self.bytes.prefix { $0 != Self.lineFeed }
    let isTabbed =
      path.lowercased().hasSuffix(".tsv")
      || !path.lowercased().hasSuffix(".csv") && firstLine.contains(Self.tab)
    separator = isTabbed ? Self.tab : Self.comma
  }

  mutating func rows() throws(DataError) -> [Manifest.Row] {
    var rows: [Manifest.Row] = []
    while position < bytes.count {
      let start = line
      let fields = try row()
      if fields != [""] { rows.append(Manifest.Row(line: start, fields: fields)) }
    }
    return rows
  }

  private mutating func row() throws(DataError) -> [String] {
    var fields: [String] = []
    while true {
      let isQuoted =
        separator == Self.comma && position < bytes.count && bytes[position] == Self.quote
      fields.append(isQuoted ? try quotedField() : try plainField())
      guard position < bytes.count else { return fields }
      let end = bytes[position]
      position += 1
      if end == separator { continue }
      if end == Self.carriageReturn { position += 1 }
      line += 1
      return fields
    }
  }

  /// Whether a row ends here: at a line feed, with or without a carriage return before it.
  private func isLineEnd(_ at: Int) -> Bool {
    bytes[at] == Self.lineFeed
      || bytes[at] == Self.carriageReturn && at + 1 < bytes.count
        && bytes[at + 1] == Self.lineFeed
  }

  private mutating func plainField() throws(DataError) -> String {
    let start = position
    while position < bytes.count, bytes[position] != separator, !isLineEnd(position) {
      if separator == Self.comma && bytes[position] == Self.quote {
        throw fault("a quote stands within a field; quote the whole field and double its quotes")
      }
      position += 1
    }
    return try text(bytes[start..<position])
  }

  private mutating func quotedField() throws(DataError) -> String {
    let startLine = line
    var field: [UInt8] = []
    position += 1
    while true {
      guard position < bytes.count else {
        line = startLine
        throw fault("a quoted field has no closing quote")
      }
      let byte = bytes[position]
      position += 1
      if byte == Self.lineFeed { line += 1 }
      guard byte == Self.quote else {
        field.append(byte)
        continue
      }
      if position < bytes.count, bytes[position] == Self.quote {
        field.append(byte)
        position += 1
        continue
      }
      guard position == bytes.count || bytes[position] == separator || isLineEnd(position) else {
        throw fault("text follows the closing quote of a field")
      }
      return try text(field[...])
    }
  }

  private func text(_ bytes: ArraySlice<UInt8>) throws(DataError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw fault("the text is not UTF-8")
    }
    return text
  }

  private func fault(_ reason: String) -> DataError {
    .malformedManifest(path: path, line: line, reason: reason)
  }
}
