import Foundation

/// Pictures of one size in rows and columns, with a title for each: a picture (PNG) without words, or a drawing (SVG) with
/// them.
public struct PictureSheet: Sendable {
  /// What is shown.
  public var title: String
  /// What the columns differ in; as many as a row has pictures, or none.
  public var columns: [String]
  /// The rows: a title and pictures.
  public var rows: [(title: String, images: [Image])]
  /// How many pixels of the drawing a pixel of a picture takes.
  public var scale: Int

  /// A sheet.
  public init(
    title: String, columns: [String] = [], rows: [(title: String, images: [Image])], scale: Int = 2
  ) {
    guard let count = rows.first?.images.count, count > 0,
      rows.allSatisfy({ $0.images.count == count }), columns.isEmpty || columns.count == count
    else {
      imageMisuse(
        "PictureSheet: expected rows of as many pictures as there are columns (\(columns.count)), "
          + "found \(rows.map(\.images.count))")
    }
    self.title = title
    self.columns = columns
    self.rows = rows
    self.scale = scale
  }

  /// The pictures alone, in a grid.
  public var image: Image {
    Image.grid(rows.flatMap(\.images), columns: rows[0].images.count)
  }

  /// The words that ``image`` lacks, a line each.
  public var legend: [String] {
    let across = columns.isEmpty ? [] : ["columns: " + columns.joined(separator: ", ")]
    let down = rows.map(\.title).filter { !$0.isEmpty }
    return [title] + across + (down.isEmpty ? [] : ["rows: " + down.joined(separator: ", ")])
  }

  /// The pictures and the words as an SVG 1.1 document that holds the pictures itself.
  public func svg() throws(ImageError) -> String {
    let first = rows[0].images[0]
    let gap = 4
    let (width, height) = (first.width * scale + gap, first.height * scale + gap)
    let left = 12 + 7 * (rows.map(\.title.count).max() ?? 0) + 8
    let top = columns.isEmpty ? 40 : 60
    let across = max(left + width * rows[0].images.count + 12, 24 + 10 * title.count)
    let down = top + height * rows.count + 12
    var parts: [String] = []
    for (index, name) in columns.enumerated() {
      let x = left + index * width + (width - gap) / 2
      parts.append(
        "<text x=\"\(x)\" y=\"\(top - 8)\" text-anchor=\"middle\">\(name.escapedForXML)</text>")
    }
    for (row, (name, images)) in rows.enumerated() {
      let y = top + row * height
      parts.append(
        "<text x=\"\(left - 8)\" y=\"\(y + height / 2 + 4)\" text-anchor=\"end\">"
          + "\(name.escapedForXML)</text>")
      for (column, image) in images.enumerated() {
        let data = Data(try PNGFile(image: image).encoded()).base64EncodedString()
        parts.append(
          "<image x=\"\(left + column * width)\" y=\"\(y)\" width=\"\(width - gap)\" "
            + "height=\"\(height - gap)\" style=\"image-rendering:pixelated\" "
            + "href=\"data:image/png;base64,\(data)\"/>")
      }
    }
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(across)" height="\(down)" \
      viewBox="0 0 \(across) \(down)" font-family="Helvetica, Arial, sans-serif" font-size="12" \
      fill="#333333">
      <title>\(title.escapedForXML)</title>
      <rect width="\(across)" height="\(down)" fill="#ffffff"/>
      <text x="12" y="26" font-size="16" font-weight="bold">\(title.escapedForXML)</text>
      \(parts.joined(separator: "\n"))
      </svg>

      """
  }
}
