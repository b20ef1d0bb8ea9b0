extension Image {
  /// A sheet of images of one size, row after row, with `padding` pixels around and between them.
  ///
  /// The sheet is RGB or has alpha where any image has, or where the background has a hue; what the
  /// last row lacks is background.
  ///
  /// - Parameters:
  ///   - images: at least one, all of one width and height.
  ///   - columns: images in a row; by default the smallest number that makes the grid no taller
  ///     than wide.
  public static func grid(
    _ images: [Image], columns: Int? = nil, padding: Int = 2, background: Color = .black
  ) -> Image {
    guard let first = images.first else { imageMisuse("Image.grid: expected at least one image") }
    let columns = columns ?? Int(Double(images.count).squareRoot().rounded(.up))
    guard columns > 0, padding >= 0 else {
      imageMisuse(
        "Image.grid: expected columns above 0 and padding of 0 or more, "
          + "found \(columns) and \(padding)")
    }
    let isColor = !background.isGrey || images.contains { !$0.isGrey }
    let channels = (isColor ? 3 : 1) + (images.contains { $0.hasAlpha } ? 1 : 0)
    let rows = (images.count + columns - 1) / columns
    let width = columns * (first.width + padding) + padding
    let height = rows * (first.height + padding) + padding
    var sheet = Image(
      width: width, height: height, filledWith: background.pixel(channels: channels))
    for (index, image) in images.enumerated() {
      guard image.width == first.width, image.height == first.height else {
        imageMisuse(
          "Image.grid: image \(index) is \(image.width) x \(image.height), "
            + "the first is \(first.width) x \(first.height): resize them to one size")
      }
      sheet.place(
        image.converted(toChannels: channels),
        x: padding + index % columns * (first.width + padding),
        y: padding + index / columns * (first.height + padding))
    }
    return sheet
  }
}
