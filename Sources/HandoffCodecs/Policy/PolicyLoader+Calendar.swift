import HandoffCore
import Yams

extension PolicyLoader {
  mutating func calendar(_ entry: YAMLMapping.Entry) -> BusinessCalendar {
    guard var mapping = mapping(entry) else { return .england }
    var calendar = BusinessCalendar.england
    if let holidays = mapping.take("bankHolidays") {
      switch text(holidays) {
      case "england": break
      case "none": calendar.holidays = []
      default: fault(holidays, "must be england or none")
      }
    }
    calendar.holidays.formUnion(days(mapping.take("closed")))
    for (line, path, text) in texts(mapping.take("alwaysOpen")) {
      if let service = service(text, line, path) { calendar.alwaysOpen.insert(service) }
    }
    if let services = mapping.take("services") { self.services(services, into: &calendar) }
    refuseRest(of: mapping)
    return calendar
  }

  private mutating func services(
    _ entry: YAMLMapping.Entry, into calendar: inout BusinessCalendar
  ) {
    guard let list = entry.node.sequence, list.count <= PolicyDocument.rowsMax else {
      return fault(entry, "must be a list of at most \(PolicyDocument.rowsMax) services")
    }
    for (index, node) in list.enumerated() {
      let path = "\(entry.path)[\(index)]"
      guard var mapping = YAMLMapping(node, path: path) else {
        fault(node.mark?.line ?? entry.line, path, "must be a service with its hours")
        continue
      }
      let service = mandatory("service", of: &mapping).flatMap { entry in
        parsed(entry, "a service such as ods:RTH") { OrganisationID($0) }
      }
      let hours = hours(&mapping)
      refuseRest(of: mapping)
      guard let service, let hours else { continue }
      if calendar.alwaysOpen.contains(service) || calendar.services[service] != nil {
        fault(mapping.line, path, "\(service) has its hours already")
      }
      calendar.services[service] = hours
    }
  }

  private mutating func hours(_ mapping: inout YAMLMapping) -> ServiceHours? {
    var days: Set<Int> = [1, 2, 3, 4, 5]
    if let entry = mapping.take("days") {
      let read = weekdays(entry)
      if read.isEmpty {
        fault(entry, "must be days such as [monday, saturday]")
      } else {
        days = read
      }
    }
    let opening = mapping.take("open").flatMap { entry in
      parsed(entry, "hours of one day such as 08:00-20:00") { ServiceHours.Opening($0) }
    }
    let worksOnHolidays = mapping.take("bankHolidays").flatMap { flag($0) }
    let closed = self.days(mapping.take("closed"))
    return ServiceHours(
      days: days, worksOnHolidays: worksOnHolidays ?? false, closed: closed, opening: opening)
  }

  /// Empty where one of them is none.
  private func weekdays(_ entry: YAMLMapping.Entry) -> Set<Int> {
    guard let list = entry.node.sequence else { return [] }
    var days: Set<Int> = []
    for node in list {
      guard let text = node.scalar?.string,
        let index = Self.weekdays.firstIndex(of: text)
      else { return [] }
      days.insert(index + 1)
    }
    return days
  }

  private mutating func days(_ entry: YAMLMapping.Entry?) -> Set<CivilDate> {
    var days: Set<CivilDate> = []
    for (line, path, text) in texts(entry) {
      if let date = CivilDate(text) {
        days.insert(date)
      } else {
        fault(line, path, "must be a day such as 2026-12-25")
      }
    }
    return days
  }

  private mutating func service(
    _ text: String, _ line: Int, _ path: String
  ) -> OrganisationID? {
    if let service = OrganisationID(text) { return service }
    fault(line, path, "must be a service such as ods:RTH")
    return nil
  }
}
