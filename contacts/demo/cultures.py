"""Where the demo's people come from: names in several alphabets, how companies, towns and phone numbers look there.

Names stand as `name=transcription`, family names with a form of their own for women as `his/hers=transcription`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Culture:
    """One country: how people are called and reached there. In `phone` each `#` stands for a digit."""

    country: str
    code: str
    men: str
    women: str
    families: str
    companies: str
    trades: str
    towns: str
    streets: str
    phone: str
    family_first: bool = False


CULTURES = (
    Culture(
        country="USA",
        code="us",
        men="James Ethan Marcus Daniel Owen Caleb Victor Samuel Theodore Julian",
        women="Grace Olivia Hannah Naomi Claire Audrey Phoebe Ruth Vivian Joanna",
        families=(
            "Whitfield Carver Delgado O'Brien Holloway Prescott Nakamura Bennett Mercer Lindqvist Abbott Sutherland"
        ),
        companies=(
            "Harborview|Finch & Daughters|Blue Mesa|Copperline|Prairie Light|Stonebridge|Tidewater|Juniper Hill"
        ),
        trades="Logistics|Software|Foods|Outfitters|Medical Supply|Partners|Design Studio|Hardware",
        towns="Portland,OR,97205|Austin,TX,78701|Madison,WI,53703|Savannah,GA,31401|Denver,CO,80202",
        streets="Main Street|Harbor Road|Maple Avenue|Foundry Lane|Cedar Court",
        phone="+1 (555) ###-####",
    ),
    Culture(
        country="United Kingdom",
        code="uk",
        men="Oliver Rhys Alastair Graham Tariq Edmund Callum Hugh",
        women="Imogen Fiona Priya Eleanor Beatrice Niamh Siân Zadie",
        families="Ashworth Pemberton MacLeod Okonkwo Fairfax Hargreaves Patel Thistlewood Llewellyn D'Arcy",
        companies="Kestrel|Thornbury|Pennine|Foxglove|Albion Quay|Merchant & Vale",
        trades="Interiors Ltd|Engineering plc|Teas Ltd|Consulting LLP|Publishing|Freight Ltd",
        towns="Leeds,,LS1 4AP|Bristol,,BS1 5TY|Edinburgh,,EH2 2BY|Cardiff,,CF10 1EP",
        streets="Queen Street|Mill Lane|Station Road|The Crescent",
        phone="+44 20 7946 0###",
    ),
    Culture(
        country="Germany",
        code="de",
        men="Jürgen=juergen Stefan Matthias Björn=bjoern Emre Götz=goetz Lukas Rüdiger=ruediger",
        women="Käthe=kaethe Annika Friederike Sibel Wiebke Grete Mareike",
        families=(
            "Müller=mueller Schäfer=schaefer Weiß=weiss Krüger=krueger "
            "Yıldız=yildiz Hoffmann Großmann=grossmann Lindner"
        ),
        companies="Bergmann|Nordlicht|Rheintal|Königsforst|Sternberg|Grünwald",
        trades="Maschinenbau GmbH|Logistik GmbH|Software AG|Möbelwerke KG|Energie GmbH|Feinkost e. K.",
        towns="Köln,NW,50667|München,BY,80331|Leipzig,SN,04109|Lübeck,SH,23552",
        streets="Hauptstraße|Lindenallee|Am Alten Hafen|Goethestraße",
        phone="+49 30 901#####",
    ),
    Culture(
        country="France",
        code="fr",
        men="Étienne Benoît François Loïc Anaël Gaël Mathéo",
        women="Chloé Zoé Hélène Inès Maëlys Éloïse Noémie",
        families="Lefèvre Dubois Garçon Châtelain Roussel Benoît Léger N'Diaye",
        companies="Atelier Bleu|Maison Clément|Les Trois Moulins|Belle Rive|Grand Large|Côte d'Ambre",
        trades="SARL|et Fils|Conseil|Distribution SA|Vins et Terroirs|Numérique SAS",
        towns="Lyon,,69002|Nantes,,44000|Besançon,,25000|Saint-Étienne,,42000",
        streets="rue de la République|quai des Orfèvres|avenue Foch|place du Marché",
        phone="+33 1 99 00 ## ##",
    ),
    Culture(
        country="Spain",
        code="es",
        men="Íñigo Álvaro Jesús Ramón Andrés Martín",
        women="Lucía Begoña Inés Sofía María Aránzazu",
        families="Muñoz Peña Ibáñez Castaño Gutiérrez Núñez Aragón",
        companies="Sol y Mar|Peñalba|Cortijo Nuevo|Azahar|Costa Brava",
        trades="Alimentación S.L.|Turismo S.A.|Textil S.L.|Cerámicas|Consultores",
        towns="Sevilla,,41001|Logroño,,26001|A Coruña,,15001|Málaga,,29015",
        streets="calle Mayor|paseo de la Castellana|avenida de España",
        phone="+34 9## ## ## ##",
    ),
    Culture(
        country="Poland",
        code="pl",
        men="Łukasz=lukasz Paweł=pawel Wojciech Michał=michal Stanisław=stanislaw",
        women="Małgorzata=malgorzata Żaneta=zaneta Agnieszka Bożena=bozena Łucja=lucja",
        families=(
            "Wiśniewski/Wiśniewska=wisniewski Zieliński/Zielińska=zielinski "
            "Dąbrowski/Dąbrowska=dabrowski Wójcik=wojcik Kaczmarek"
        ),
        companies="Złoty Dąb|Bursztyn|Wisła|Świt|Orzeł Biały",
        trades="Transport sp. z o.o.|Meble S.A.|Handel|Technologie|Piekarnia",
        towns="Kraków,,31-042|Gdańsk,,80-831|Łódź,,90-001|Wrocław,,50-106",
        streets="ulica Długa|ulica Świętokrzyska|aleja Róż",
        phone="+48 22 ### ## ##",
    ),
    Culture(
        country="Denmark",
        code="dk",
        men="Søren=soeren Jørgen=joergen Åge=aage Rasmus Mads",
        women="Bodil Sørine=soerine Mette Signe Åse=aase",
        families="Ærøskov=aeroeskov Østergaard=oestergaard Nørgaard=noergaard Kjær=kjaer Holm",
        companies="Øresund|Skagen|Nordhavn|Blåvand",
        trades="Rederi A/S|Design ApS|Mejeri|Vindkraft A/S|Møbler",
        towns="Aarhus,,8000|Køge,,4600|Odense,,5000|København,,1050",
        streets="Strandvejen|Østergade|Nørrebrogade",
        phone="+45 70 ## ## ##",
    ),
    Culture(
        country="Россия",
        code="ru",
        men="Алексей=aleksei Дмитрий=dmitrii Фёдор=fyodor Юрий=yurii Илья=ilya",
        women="Мария=maria Ольга=olga Екатерина=ekaterina Алёна=alyona Юлия=yulia",
        families=(
            "Смирнов/Смирнова=smirnov Королёв/Королёва=korolyov "
            "Воробьёв/Воробьёва=vorobyov Соколов/Соколова=sokolov Зайцев/Зайцева=zaitsev"
        ),
        companies="Северный ветер=severny-veter|Берёзка=beryozka|Звезда=zvezda|Волжский берег=volga",
        trades="Логистика|Торговый дом|Мебель|Технологии",
        towns="Москва,,101000|Казань,,420111|Нижний Новгород,,603001",
        streets="улица Ленина|проспект Мира|Садовая улица",
        phone="+7 495 ###-##-##",
    ),
    Culture(
        country="Україна",
        code="ua",
        men="Олексій=oleksii Тарас=taras Ярослав=yaroslav Гнат=hnat",
        women="Оксана=oksana Леся=lesia Софія=sofiia Ївга=yivha",
        families="Шевченко=shevchenko Бондаренко=bondarenko Ткачук=tkachuk Коваленко=kovalenko Гончар=honchar",
        companies="Світанок=svitanok|Калина=kalyna|Дніпро=dnipro|Карпати=karpaty",
        trades="Агро|Транспорт|Рішення|Торгівля",
        towns="Київ,,01001|Львів,,79000|Одеса,,65000",
        streets="вулиця Хрещатик|проспект Свободи|вулиця Садова",
        phone="+380 44 ### ## ##",
    ),
    Culture(
        country="Ελλάδα",
        code="gr",
        men="Γιώργος=giorgos Νίκος=nikos Ανδρέας=andreas Χρήστος=christos",
        women="Ελένη=eleni Μαρία=maria Κατερίνα=katerina Σοφία=sofia",
        families=(
            "Παπαδόπουλος/Παπαδοπούλου=papadopoulos Οικονόμου=oikonomou "
            "Νικολαΐδης/Νικολαΐδου=nikolaidis Γεωργίου=georgiou"
        ),
        companies="Αιγαίο=aegean|Ήλιος=ilios|Ακρόπολη=akropoli|Θάλασσα=thalassa",
        trades="Ναυτιλιακή ΑΕ|Τρόφιμα ΕΠΕ|Τεχνική|Ελαιουργία",
        towns="Αθήνα,,105 57|Θεσσαλονίκη,,546 24|Πάτρα,,262 21",
        streets="Οδός Ερμού|Λεωφόρος Νίκης|Οδός Αθηνάς",
        phone="+30 21# ### ####",
    ),
    Culture(
        country="الإمارات",
        code="ae",
        men="أحمد=ahmad يوسف=yousef خالد=khaled عمر=omar",
        women="فاطمة=fatima ليلى=layla نور=nour مريم=maryam",
        families="المنصوري=almansoori الحداد=alhaddad الخطيب=alkhatib النجار=alnajjar",
        companies="النور=alnoor|الواحة=alwaha|اللؤلؤة=allulua|الصحراء=alsahra",
        trades="للتجارة|للنقل|للتقنية|للاستشارات",
        towns="دبي,,00000|أبو ظبي,,00000|الشارقة,,00000",
        streets="شارع الشيخ زايد|شارع الكورنيش|شارع الميناء",
        phone="+971 4 ### ####",
    ),
    Culture(
        country="中国",
        code="cn",
        men="伟=wei 小明=xiaoming 建国=jianguo 志强=zhiqiang",
        women="芳=fang 小红=xiaohong 丽华=lihua 静=jing",
        families="王=wang 李=li 张=zhang 陈=chen 欧阳=ouyang",
        companies="晨星=chenxing|东方=dongfang|长江=changjiang|瑞丰=ruifeng",
        trades="科技有限公司|物流有限公司|贸易有限公司|食品有限公司",
        towns="上海,,200000|北京,,100000|深圳,广东,518000",
        streets="南京路|长安街|深南大道",
        phone="+86 21 #### ####",
        family_first=True,
    ),
    Culture(
        country="日本",
        code="jp",
        men="健太=kenta 翔=sho 大輔=daisuke 悠真=yuma",
        women="花子=hanako 美咲=misaki さくら=sakura 陽子=yoko",
        families="佐藤=sato 高橋=takahashi 渡辺=watanabe 小林=kobayashi 齋藤=saito",
        companies="さくら=sakura|富士見=fujimi|アサヒ精=asahisei|みどり=midori",
        trades="物流株式会社|電機株式会社|商事株式会社|デザイン",
        towns="東京,,100-0001|大阪,,530-0001|札幌,北海道,060-0001",
        streets="中央通り|桜通り|本町",
        phone="+81 3-####-####",
        family_first=True,
    ),
)
