"""Given names and surnames that are withheld wherever they stand, in lower case.

Common ones of many languages, and a net below three others: names of the household are known, recognizers write names
with a capital, and words that no model knows are withheld anyway. Those that mostly are everyday words ("will", "may",
"mark") are left to the capital.
"""

from __future__ import annotations

from typing import Final

NAMES: Final = frozenset(
    """
    aaron abdul abdullah abigail ada adam adrian agnes ahmed aisha akira alan albert alejandro alex alexander
    alexandra alexis alfred ali alice alicia alina alison allison alma amanda amelia amina amir amit amy ana
    anastasia anders andre andrea andreas andrew andy angela angelina anil anita anja ann anna anne annie anthony
    antonio anya ariana arjun arthur arturo asha ashley astrid audrey aurora ava ayesha barbara beatrice becky ben
    benjamin bernard bernd bertha beth betty beverly bianca bob bobby bonnie boris brad bradley brandon brenda
    brian bridget bruce bruno bryan caleb cameron camila carina carl carla carlos carmen carol carolina caroline
    caroll carrie catherine cathy cecilia charles charlie charlotte chen cheryl chiara chloe chris christa christian
    christina christine christopher claire clara claudia clemens colin connie connor corinna craig cristina curtis
    cynthia daisy dan daniel daniela danielle danny darius dave david deborah debbie denise dennis derek diana diane
    diego dieter dimitri dirk dmitri donald donna doris dorothy doug douglas dylan ebony eddie edgar edith eduardo
    edward edwin eileen elena eli elias elijah elisa elisabeth elizabeth ella ellen ellie elsa emil emilia emily
    emma enrique eric erica erik erika ernst esra esther ethan eugene eva evan evelyn ezra fabian fatima felipe
    felix fernando finn fiona florence francesca francis francisco franco frank frankie franz fred freddy frederick
    frida friedrich gabriel gabriela gary gavin george georgia gerald gerard gerd giorgio giovanni gita gloria
    gordon greg gregory greta gunter gustav hamid hannah hans harold harriet harry hassan hector heidi heike
    heinrich helen helena helga henrik henry herbert hermann hiroshi holly horst howard hugo ian ibrahim ida ines
    ingrid irene irina isaac isabel isabella isaiah ismail ivan ivy jacek jack jackie jackson jacob jacqueline jade
    jaime jake jakob jamal james jamie jan jana jane janet janice jared jasmin jason javier jean jeff jeffrey
    jennifer jenny jens jeremy jerry jesse jessica jesus jill jim jimmy joan joanna joao joe joel johan johann
    johanna johannes john johnny jonas jonathan jordan jorge jose joseph joshua joyce juan juanita judith judy julia
    julian juliana julie juliet julio jun jurgen justin kaito kamal karen karim karin karl kate katharina katherine
    kathleen kathy katie katja katrin kayla keith kelly kelvin ken kenji kenneth kevin khadija kim kimberly kirsten
    klaus krishna kristen kristin kumar kurt kwame kyle lakshmi lara larry lars laura lauren lea leah lena leo leon
    leonard leonardo leroy leslie levi liam lidia lina linda lisa logan lois lorenzo lori louis louisa louise luca
    lucas lucia lucy luigi luis luisa luka lukas luke lydia lynn mabel madeline madison magda malcolm malik manfred
    manuel marcel marco marcus margaret margarita maria mariam marie marina mario marion marlene marta martha martin
    martina marvin mary mateo mathilda matteo matthew matthias maurice max maximilian megan mehmet mei melanie
    melissa mia michael michaela michele michelle miguel mike mikhail mila milan mildred ming miriam mohamed
    mohammed moira molly monica monika moritz muhammad mustafa nadia nadine nancy naomi natalia natalie natasha
    nathan nathaniel neha neil ngozi nicholas nick nicola nicolas nicole nigel nikita nikolai nina noah noel nora
    norbert norma norman nuria olaf oleg olga olive oliver olivia omar oscar otto owen pablo pamela paolo patricia
    patrick paul paula pauline pavel pedro peggy penelope perry peter petra phil philip philipp phillip phoebe pia
    pierre piotr pooja prakash priya rachel rafael rahul raj rajesh ralf ralph ramesh ramon randy raphael ravi
    raymond rebecca regina reinhard renate rhonda ricardo richard rick ricky rita robert roberta roberto robin
    rodney rodrigo roger rohit roland rolf roman ronald ronnie rosa rosemary rosie roxanne roy ruben rudolf rudy
    russell ruth ryan sabine sabrina sally salma sam samantha samir samuel sana sandra sandy sanjay santiago sara
    sarah sasha saskia sean sebastian sergei sergio seth shane shannon sharon sheila shirley sigrid silke silvia
    simon simone sofia sonia sonja sophia sophie stacy stanley stefan stefanie stella stephan stephanie stephen
    steve steven stewart stuart sue sunil susan susanne suzanne svetlana sven sybille sylvia takashi tamara tammy
    tania tanja tanya tariq tatiana ted teresa terry thelma theo theodore theresa thomas thorsten tiffany tim
    timothy tina tobias todd tom tomas tommy tony tracy travis tyler ulrich ulrike ursula uwe valentina valeria
    vanessa vera vernon veronica vicky victor victoria vijay vikram vincent viola violet virginia vivian vladimir
    walter wanda wayne wei wendy werner wilhelm william willie wilma winston wolfgang xavier xin yan yasmin yosef
    yuki yuri yusuf yvonne zach zachary zahra zara zoe adams ahmad alvarez andersen anderson bailey baker bauer
    becker bennett brooks carter castillo chavez clark collins cooper cruz davis diaz edwards evans fernandez
    fischer flores foster garcia gomez gonzalez griffin gupta gutierrez hansen harris hernandez hoffmann howard
    hughes ivanov jackson jenkins jensen johnson jones kelly khan kim klein kowalski kumar larsen lee lewis lopez
    mahmoud martinez mcdonald mendoza meyer miller mitchell moore morales morgan morris muller murphy myers nelson
    nguyen nielsen novak okafor ortiz parker patel perez peters petersen peterson phillips popov powell ramirez
    ramos reyes richardson rivera roberts robinson rodriguez rogers romero ross rossi ruiz russo sanchez sanders
    santos sato schmidt schneider schulz schwarz scott sharma silva singh smith stewart suarez sullivan suzuki
    tanaka taylor thompson torres turner vargas wagner walker wang watson weber williams wilson wong wright yamamoto
    zhang zimmermann
    """.split()
)
